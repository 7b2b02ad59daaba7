//! Text from outside: bounded, without control characters, and stable where it goes to status.

/// At most `max` characters, control characters replaced by spaces, an ellipsis where something was cut.
pub fn bounded(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push('…');
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

/// The text with GUIDs, times and numbers of seconds taken out, so that the same failure gives the same message.
///
/// Azure puts request ids, trace ids and waits into its messages; a status that repeats them would change with
/// every retry and wake every watcher.
pub fn stable(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        out.push_str(if is_volatile(word) { "…" } else { word.as_str() });
        word.clear();
    };
    for c in text.chars() {
        // '-' and ':' join a GUID or a time into one word.
        if c.is_alphanumeric() || matches!(c, '-' | ':' | '.' | '_') {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    bounded(&out, max)
}

/// Whether this is 8-4-4-4-12 hexadecimal digits. No variant or version check: the ids of Microsoft's own how-to are no
/// RFC 4122 ones.
pub(crate) fn is_guid(text: &str) -> bool {
    let mut groups = text.split('-');
    [8, 4, 4, 4, 12].into_iter().all(|length| {
        groups
            .next()
            .is_some_and(|group| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit()))
    }) && groups.next().is_none()
}

fn is_volatile(word: &str) -> bool {
    let word = word.trim_matches(['.', ':', '-']);
    if is_guid(word) {
        return true;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    // A bare number (a wait in seconds), a clock time, or a date.
    digits > 0
        && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'T' | b'Z' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_and_controls_go() {
        assert_eq!(bounded("a\nb\u{7}c", 10), "a b c");
        assert_eq!(bounded("äöüß", 2), "äö…");
        assert_eq!(bounded("ab", 2), "ab");
    }

    #[test]
    fn what_changes_between_retries_goes() {
        let one = "Trace ID: 11111111-2222-3333-4444-555555555555 Timestamp: 2026-11-23 10:11:12Z, try again after '17' seconds";
        let two = "Trace ID: 99999999-2222-3333-4444-555555555555 Timestamp: 2026-11-24 11:11:12Z, try again after '3' seconds";
        assert_eq!(stable(one, 500), stable(two, 500));
        assert!(stable(one, 500).contains("try again after '…' seconds"));
    }

    #[test]
    fn names_with_digits_stay() {
        assert_eq!(
            stable("targetVnet01 in rg-2 (AADSTS7000215)", 100),
            "targetVnet01 in rg-2 (AADSTS7000215)"
        );
    }
}
