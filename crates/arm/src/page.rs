//! Where a list goes on.

use std::collections::HashSet;

use avnm_terms::mutants::{Mutant, broken};
use url::Url;

/// Most pages of one list: fifty thousand things at the smallest page that was documented (20), with room.
pub(crate) const PAGES_MAX: usize = 2500;

/// The pages of one list that were asked for.
pub(crate) struct Pages {
    seen: HashSet<String>,
}

impl Pages {
    /// A list that begins at this URL.
    pub(crate) fn begin(first: &Url) -> Self {
        Self { seen: HashSet::from([first.as_str().to_owned()]) }
    }

    /// Whether the page that is being read is the first.
    pub(crate) fn is_first(&self) -> bool {
        self.seen.len() == 1
    }

    /// The next page, `None` at the end: no link, null, or (as recorded) an empty text.
    ///
    /// The link is followed as it is, also with another api-version, but only to where the list came from: it
    /// comes from outside, and a token goes with it.
    pub(crate) fn next(&mut self, link: Option<&str>, origin: &Url) -> Result<Option<Url>, String> {
        let Some(link) = link.filter(|link| !link.is_empty()) else { return Ok(None) };
        let url = Url::parse(link).map_err(|_| "the link to the next page is not a URL".to_owned())?;
        let elsewhere = url.origin() != origin.origin() && !broken(Mutant::HostFollowed);
        if elsewhere || !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "the link to the next page leads elsewhere: {}",
                avnm_terms::text::bounded(url.host_str().unwrap_or("no host"), 128)
            ));
        }
        if !self.seen.insert(url.as_str().to_owned()) {
            return Err("the list repeats a page".to_owned());
        }
        if self.seen.len() > PAGES_MAX {
            return Err(format!("the list has more than {PAGES_MAX} pages"));
        }
        Ok(Some(url))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FIRST: &str = "https://management.azure.com/subscriptions/s/x?api-version=2024-05-01";

    fn next(link: Option<&str>) -> Result<Option<String>, String> {
        let first = Url::parse(FIRST).unwrap();
        Pages::begin(&first).next(link, &first).map(|url| url.map(String::from))
    }

    #[rstest]
    #[case(None)]
    #[case(Some(""))]
    fn the_end(#[case] link: Option<&str>) {
        assert_eq!(next(link), Ok(None));
    }

    #[rstest]
    #[case("https://management.azure.com/subscriptions/s/x?api-version=2021-02-01-preview&$skipToken=10")]
    #[case("https://management.azure.com:443/subscriptions/s/x?$skipToken=a%2Fb")]
    fn followed_as_it_is(#[case] link: &str) {
        let followed = next(Some(link)).unwrap().unwrap();
        assert_eq!(followed, link.replace(":443", ""));
    }

    #[rstest]
    #[case("http://management.azure.com/x")]
    #[case("https://management.azure.com:8443/x")]
    #[case("https://evil.example/x")]
    #[case("https://management.azure.com.evil.example/x")]
    #[case("https://management.azure.com@evil.example/x")]
    #[case("https://user@management.azure.com/x")]
    #[case("//evil.example/x")]
    #[case("/subscriptions/s/x?page=2")]
    #[case("javascript:alert(1)")]
    fn never_elsewhere(#[case] link: &str) {
        assert!(next(Some(link)).is_err(), "{link}");
    }

    #[test]
    fn a_repeated_page_and_an_endless_list_are_faults() {
        let first = Url::parse(FIRST).unwrap();
        let mut pages = Pages::begin(&first);
        assert!(pages.is_first());
        assert!(pages.next(Some(FIRST), &first).is_err());
        for page in 1..PAGES_MAX {
            assert!(pages.next(Some(&format!("{FIRST}&p={page}")), &first).is_ok(), "page {page}");
        }
        assert!(!pages.is_first());
        assert!(pages.next(Some(&format!("{FIRST}&p=last")), &first).is_err());
    }
}
