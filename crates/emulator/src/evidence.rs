//! What a rule is built on. Each file of rules has its own list; [`crate::catalogue`] has them all.

pub mod documents;

use serde::ser::SerializeStruct as _;

use documents::Document;

/// The kind of evidence behind a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// A recording of the real service.
    Recording,
    /// A public report by a user, or the text of another client of Azure.
    Report,
    /// Azure's specification or documentation.
    Specification,
    /// Nothing public settles it.
    Assumed,
}

/// One rule and what it is built on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The rule in a few words.
    pub rule: &'static str,
    /// The kind of evidence.
    pub basis: Basis,
    /// The recording's file, the report's thread, the document's title; for what is assumed: what would settle it.
    pub source: &'static str,
    document: Option<&'static str>,
}

impl Evidence {
    /// Seen in a recording.
    pub const fn recording(rule: &'static str, source: &'static str) -> Self {
        Self { rule, basis: Basis::Recording, source, document: None }
    }

    /// Reported publicly, in a thread: `OWNER/REPOSITORY#NUMBER`.
    pub const fn report(rule: &'static str, thread: &'static str) -> Self {
        Self { rule, basis: Basis::Report, source: thread, document: None }
    }

    /// Reported publicly, anywhere else.
    pub const fn report_in(rule: &'static str, document: &Document) -> Self {
        Self { rule, basis: Basis::Report, source: document.title, document: Some(document.link) }
    }

    /// Specified or documented.
    pub const fn specification(rule: &'static str, document: &Document) -> Self {
        Self { rule, basis: Basis::Specification, source: document.title, document: Some(document.link) }
    }

    /// Assumed, and what would settle it.
    pub const fn assumed(rule: &'static str, settled_by: &'static str) -> Self {
        Self { rule, basis: Basis::Assumed, source: settled_by, document: None }
    }

    /// Where the source is found, for all that is reported or specified.
    pub fn link(&self) -> Option<String> {
        let thread = || {
            let (repository, number) = self.source.split_once('#').filter(|_| self.basis == Basis::Report)?;
            Some(format!("https://github.com/{repository}/issues/{number}"))
        };
        self.document.map(ToOwned::to_owned).or_else(thread)
    }
}

impl serde::Serialize for Evidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("Evidence", 4)?;
        shown.serialize_field("rule", self.rule)?;
        shown.serialize_field("basis", &self.basis)?;
        shown.serialize_field("source", self.source)?;
        shown.serialize_field("link", &self.link())?;
        shown.end()
    }
}

impl Basis {
    /// The word in tables.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Recording => "recorded",
            Self::Report => "reported",
            Self::Specification => "specified",
            Self::Assumed => "**assumed**",
        }
    }
}
