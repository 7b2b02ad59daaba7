//! Letters of any alphabet: which of them stand in names of Azure's, and when two of them are the same.

use icu_properties::{CodePointMapData, props::GeneralCategory};

/// Whether Azure lets a name have it among its letters and digits.
///
/// Its rule for resource groups names .NET's `Char.IsLetterOrDigit`. That looks at one UTF-16 unit at a time, so that no
/// letter beyond the basic plane counts.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    use GeneralCategory::{
        DecimalNumber, LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter,
    };
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    u32::from(c) <= 0xFFFF
        && matches!(
            category,
            UppercaseLetter
                | LowercaseLetter
                | TitlecaseLetter
                | ModifierLetter
                | OtherLetter
                | DecimalNumber
        )
}

/// The text without its casing: texts that differ in casing only, letter by letter, fold to the same.
///
/// Azure compares ids so; that it goes by letters and not by a language is assumed. One letter stays one letter: `ß` is
/// not `ss`, and the dotless `ı` is no `i`. The API server's rules fold in the same way.
pub fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(folded).collect() }
}

fn folded(c: char) -> char {
    if c == 'ı' {
        return c;
    }
    // Up and then down, so that letters of two small forms meet in their one capital.
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_of_any_alphabet() {
        for good in "aZ09øØßяЯ中あคξ٣१ªʰǅ".chars() {
            assert!(is_letter_or_digit(good), "{good:?}");
        }
        for bad in " _-.()%/?#!&*+½Ⅷ\u{301}‿€😀\n\u{200d}\u{202e}𝐀𐐀".chars() {
            assert!(!is_letter_or_digit(bad), "{bad:?}");
        }
    }

    #[test]
    fn casing_goes_letter_by_letter() {
        for (one, other) in [
            ("Instruktører", "INSTRUKTØRER"),
            ("Отдел-7", "отдел-7"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("Straße", "STRAẞE"),
            ("ǅ", "ǆ"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        for (one, other) in [("Straße", "Strasse"), ("ı", "i"), ("İ", "i"), ("é", "e\u{301}"), ("ø", "o")]
        {
            assert_ne!(fold(one), fold(other));
        }
        assert_eq!(fold("/Subscriptions/A_b"), "/subscriptions/a_b");
    }
}
