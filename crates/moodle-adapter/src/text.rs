//! Moodle's texts, some of which come as HTML.

/// How much of a message is kept.
const MESSAGE_LIMIT: usize = 300;

/// One line of plain text, for people to read.
pub(crate) fn plain(html: &str) -> String {
    let mut inside_tag = false;
    let without_tags: String = html
        .chars()
        .map(|c| match c {
            '<' => {
                inside_tag = true;
                ' '
            }
            '>' if inside_tag => {
                inside_tag = false;
                ' '
            }
            _ if inside_tag || c.is_control() => ' ',
            _ => c,
        })
        .collect();
    let words: Vec<_> = without_tags.split_whitespace().collect();
    let line = unescaped(&words.join(" "));
    line.chars().take(MESSAGE_LIMIT).collect()
}

/// A name as a person typed it; course and category names come HTML-escaped.
pub(crate) fn unescaped(text: &str) -> String {
    const ENTITIES: [(&str, char); 7] = [
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#039;", '\''),
        ("&#39;", '\''),
        ("&nbsp;", '\u{a0}'),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let known = ENTITIES
            .iter()
            .find_map(|(entity, meant)| Some((tail.strip_prefix(entity)?, *meant)));
        let (after, meant) = known.unwrap_or((tail.strip_prefix('&').unwrap_or(""), '&'));
        out.push(meant);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_resolved_once() {
        assert_eq!(
            unescaped("R&amp;D &lt;1&gt; &quot;a&#039;s&quot;"),
            "R&D <1> \"a's\""
        );
        assert_eq!(unescaped("&amp;lt;"), "&lt;");
        assert_eq!(unescaped("Fish & chips &c"), "Fish & chips &c");
    }

    #[test]
    fn tags_and_line_breaks_leave_one_line_of_words() {
        assert_eq!(
            plain("<div>At least 8\ncharacters.</div><div>One &amp; digit.</div>"),
            "At least 8 characters. One & digit."
        );
        assert_eq!(plain("1 > 0"), "1 > 0");
        assert_eq!(plain(&"x".repeat(1000)).len(), MESSAGE_LIMIT);
    }
}
