//! Text from outside: bounded, without control characters, and stable where it goes to status.

mod volatile;

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

/// The text without what differs between two answers to the same question: the ids of the one request, times, what is left
/// to wait. All else stays, above all the ids of clients, objects, tenants, scopes and policies: they are what somebody
/// needs who is to do something about it.
///
/// Azure puts request ids, trace ids and waits into its messages; a status that repeats them would change with every retry
/// and wake every watcher. `own` are ids of this one answer that are known from elsewhere, such as its correlation id.
pub fn stable<'a>(text: &str, own: impl IntoIterator<Item = &'a str>, max: usize) -> String {
    bounded(&volatile::left_out(text, own), max)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_and_controls_go() {
        assert_eq!(bounded("a\nb\u{7}c", 10), "a b c");
        assert_eq!(bounded("äöüß", 2), "äö…");
        assert_eq!(bounded("ab", 2), "ab");
    }
}
