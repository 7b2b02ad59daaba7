//! Patterns of actions and paths.

/// Matches without regard to case; `*` stands for any run of characters, also an empty one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_like_actions_do() {
        assert!(matches("Microsoft.Network/*", "microsoft.network/networkManagers/read"));
        assert!(matches("*/read", "Microsoft.Network/networkManagers/read"));
        assert!(!matches("*/read", "Microsoft.Network/networkManagers/write"));
        assert!(matches("*", "anything"));
        assert!(matches("a/b", "A/B"));
        assert!(!matches("a/b", "a/b/c"));
        assert!(matches("a/*/c", "a/b/c"));
        assert!(!matches("aa*aa", "aaa"));
    }
}
