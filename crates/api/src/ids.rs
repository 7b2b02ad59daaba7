//! How the API server checks ids: which characters stand in them, and that only their casing changes.

use kube::core::{Message, Rule};

/// What stands in no id, as a pattern of CEL: all but letters and digits of any alphabet, and a few marks. A control
/// character is left to the rule on the form, since a message with a line break would not be shown. No letter beyond the
/// basic plane is one to Azure.
macro_rules! strange {
    () => {
        r"'[^-/\\p{L}\\p{Nd}_.()\\p{Cc}]|[^\\x{0}-\\x{FFFF}]'"
    };
}

macro_rules! guid {
    () => {
        "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    };
}

macro_rules! name {
    () => {
        "[0-9A-Za-z][0-9A-Za-z_.-]{0,63}"
    };
}

macro_rules! manager {
    () => {
        concat!(
            "/(?i:subscriptions)/",
            guid!(),
            r"/(?i:resourceGroups)/[^/\\p{Cc}]{1,90}/(?i:providers/Microsoft.Network/networkManagers)/",
            name!()
        )
    };
}

/// The rule on the form of an id with a resource group in it. What has a strange character is told so by another rule, and
/// nothing else is said of it.
macro_rules! in_a_group {
    ($form:expr) => {
        concat!(
            "self.matches(",
            strange!(),
            ") || (self.matches('^",
            $form,
            "$') && !self.split('/')[4].endsWith('.'))"
        )
    };
}

const HAS: &str = "letters and digits of any alphabet, _, -, . and parentheses";

/// Every character may stand in an id.
pub(crate) fn characters() -> Rule {
    let says = format!(
        "'no id in Azure has the character \"' + self.find({}) + '\": the names of resource groups have {HAS}; the other names fewer'",
        strange!()
    );
    Rule::new(concat!("!self.matches(", strange!(), ")")).message(Message::Expression(says))
}

/// Every character may stand in each id of a list.
pub(crate) fn characters_of_all() -> Rule {
    let says = format!(
        "'no id in Azure has the character \"' + self.filter(s, s.matches({strange}))[0].find({strange}) + '\": the names of resource groups have {HAS}; the other names fewer'",
        strange = strange!()
    );
    Rule::new(concat!("self.all(s, !s.matches(", strange!(), "))")).message(Message::Expression(says))
}

/// The id of a network manager.
pub(crate) fn manager() -> Rule {
    Rule::new(in_a_group!(manager!())).message("write the id of a network manager: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME")
}

/// The id of a network group.
pub(crate) fn group() -> Rule {
    Rule::new(in_a_group!(concat!(manager!(), "/(?i:networkGroups)/", name!()))).message("write the id of a network group: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/networkManagers/NAME/networkGroups/NAME")
}

/// The id of a virtual network or subnet.
pub(crate) fn network() -> Rule {
    Rule::new(in_a_group!(concat!(
        "/(?i:subscriptions)/",
        guid!(),
        r"/(?i:resourceGroups)/[^/\\p{Cc}]{1,90}/(?i:providers/Microsoft.Network/virtualNetworks)/[0-9A-Za-z][0-9A-Za-z_.-]{0,79}(/(?i:subnets)/[0-9A-Za-z][0-9A-Za-z_.-]{0,79})?"
    )))
    .message("write the id of a virtual network or subnet: /subscriptions/GUID/resourceGroups/NAME/providers/Microsoft.Network/virtualNetworks/NAME[/subnets/NAME]")
}

/// An id of whole segments, of whatever resource.
macro_rules! whole {
    ($text:literal) => {
        concat!(
            $text,
            ".matches(",
            strange!(),
            ") || (",
            $text,
            r".matches('^(/[^/\\p{Cc}]{1,260})+$') && !",
            $text,
            ".matches('/[.]{1,2}(/|$)'))"
        )
    };
}

/// The id of some resource.
pub(crate) fn resource(says: &str) -> Rule {
    Rule::new(whole!("self")).message(says)
}

/// Each of a list is an id of whole segments.
pub(crate) fn scopes() -> Rule {
    Rule::new(concat!("self.all(s, ", whole!("s"), ")"))
    .message("write each scope as an ARM id of whole segments, such as /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME: it begins with '/', does not end with one, and has no '//' and no '..'")
}

// No id and no name has a minLength: what is empty is told by its rule, which says what to write.

/// Only the casing changes. Azure's ids have none: who corrects it must not be made to delete the object.
///
/// A pattern without regard to case folds letters of any alphabet; of the characters of ids only the dot and the parentheses
/// mean something in a pattern, and give way, on both sides, to characters that are in no id.
pub(crate) fn same(says: &str) -> Rule {
    const PLAIN: &str = ".replace('.', ',').replace('(', '<').replace(')', '>')";
    Rule::new(format!(
        "self.lowerAscii() == oldSelf.lowerAscii() || self{PLAIN}.matches('^(?i)' + oldSelf{PLAIN} + '$')"
    ))
    .message(says)
}

/// Only the casing of a GUID changes.
pub(crate) fn same_guid(says: &str) -> Rule {
    Rule::new("self.lowerAscii() == oldSelf.lowerAscii()").message(says)
}
