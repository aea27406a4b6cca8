//! Moodle's default password policy, whose refusal has HTML where a code should be.

use super::refusal::Refusal;

/// Refuses a password that is too weak. Both `errorcode` and `message` hold the reasons as HTML
/// (fixture `create_users_bad_password`).
pub(super) fn check(password: &str) -> Result<(), Refusal> {
    let lacks = |kind: fn(&char) -> bool| !password.chars().any(|c| kind(&c));
    let rules = [
        (
            password.chars().count() < 8,
            "Passwords must be at least 8 characters long.",
        ),
        (
            lacks(char::is_ascii_digit),
            "Passwords must have at least 1 digit(s).",
        ),
        (
            lacks(char::is_ascii_lowercase),
            "Passwords must have at least 1 lower case letter(s).",
        ),
        (
            lacks(char::is_ascii_uppercase),
            "Passwords must have at least 1 upper case letter(s).",
        ),
        (
            lacks(|c| !c.is_alphanumeric()),
            "The password must have at least 1 special character(s) such as *, -, or #.",
        ),
    ];
    let broken = rules.into_iter().filter(|(is_broken, _)| *is_broken);
    let html: String = broken
        .map(|(_, rule)| format!("<div>{rule}</div>"))
        .collect();
    if html.is_empty() {
        return Ok(());
    }
    let message = format!("error/{html}");
    Err(Refusal::moodle(html, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_password_passes_and_a_weak_one_is_refused_in_html() {
        assert_eq!(check("New-Student-1!"), Ok(()));

        let refusal = check("short").unwrap_err();

        assert!(
            refusal
                .errorcode
                .starts_with("<div>Passwords must be at least 8")
        );
        assert!(refusal.message.starts_with("error/<div>"));
        assert!(!refusal.errorcode.contains("lower case"));
    }
}
