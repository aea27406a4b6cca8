//! Reads `.env` files the way people write them.
//!
//! A library would expand `$` inside values, which ruins secrets that contain one, and stop at
//! the first line it does not like; systemd and containers do neither, and the same file has to
//! work with all three.

/// Reads `NAME=value` lines; answers the numbers of lines that are none.
pub fn parse(text: &str) -> (Vec<(String, String)>, Vec<usize>) {
    let mut pairs = Vec::new();
    let mut odd = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=') {
            Some((name, value)) if is_name(name.trim()) => {
                pairs.push((name.trim().to_owned(), value_of(value)));
            }
            _ => odd.push(at + 1),
        }
    }
    (pairs, odd)
}

/// A value without its quotes, or without the comment behind it.
pub fn value_of(raw: &str) -> String {
    let raw = raw.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = raw.strip_prefix(quote)
            && let Some((inner, after)) = rest.split_once(quote)
            && (after.trim().is_empty() || after.trim_start().starts_with('#'))
        {
            return inner.to_owned();
        }
    }
    without_comment(raw).to_owned()
}

/// Cuts a comment that is set off by white space: `com          # or eu, in, au`.
fn without_comment(raw: &str) -> &str {
    if raw.starts_with('#') {
        return "";
    }
    let comment = raw.match_indices('#').find(|(at, _)| {
        raw.get(..*at)
            .is_some_and(|before| before.ends_with([' ', '\t']))
    });
    match comment {
        Some((at, _)) => raw.get(..at).unwrap_or(raw).trim_end(),
        None => raw,
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_block_reads_as_it_is_meant() {
        let text = "\
ZOHO_CLIENT_ID=1000.XXXX
ZOHO_REGION=com          # or eu, in, au
MOODLE_DB_URL=mariadb+pymysql://user:pass@host:3306/moodle_db
# a comment
export QUOTED=\"a # b\"   # outside
SECRET=pa$$word#1
";
        let (pairs, odd) = parse(text);
        let value = |name: &str| {
            pairs
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(value("ZOHO_REGION"), Some("com"));
        assert_eq!(
            value("MOODLE_DB_URL"),
            Some("mariadb+pymysql://user:pass@host:3306/moodle_db")
        );
        assert_eq!(value("QUOTED"), Some("a # b"));
        assert_eq!(value("SECRET"), Some("pa$$word#1"));
        assert!(odd.is_empty());
    }

    #[test]
    fn lines_that_are_no_settings_are_named() {
        assert_eq!(parse("A=1\nnonsense\n=x\n").1, [2, 3]);
    }
}
