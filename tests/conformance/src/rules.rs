//! The differences that are right, each with its reason and what that is built on. Everything else is a finding.

use avnm_emulator::path::{ArmPath, Kind};
use jiff::civil::{Date, date};

use crate::difference::{Difference, Place, What};
use crate::forms::fraction_digits;
use crate::generation::Generation;
use crate::headers::is_remaining;
use crate::recording::{Exchange, Recorder};

/// What a rule may look at besides the difference.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The recorded exchange.
    pub exchange: &'a Exchange,
    /// What it is about, if its path is one of ARM's.
    pub path: Option<&'a ArmPath>,
    /// When the traffic was.
    pub generation: Generation,
    /// Who recorded.
    pub recorder: Recorder,
    /// Some answer in the file says which front end throttles, so that the others' silence says something, too.
    pub names_front_ends: bool,
    /// The region of the network that the resource names, if it names one.
    pub region: Option<&'a str>,
    /// The recorded state is one that the same resource had left before.
    pub went_back: bool,
}

impl Context<'_> {
    fn kind(&self) -> Option<Kind> {
        self.path.map(ArmPath::kind)
    }

    fn is(&self, kinds: &[Kind]) -> bool {
        self.kind().is_some_and(|kind| kinds.contains(&kind))
    }

    fn is_list(&self) -> bool {
        self.path.is_some_and(ArmPath::is_collection)
    }
}

/// One difference that is right.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// Its name.
    pub name: &'static str,
    /// The day from which on it explains nothing any more.
    pub until: Option<Date>,
    /// Why it is right.
    pub reason: &'static str,
    /// What that is built on.
    pub evidence: &'static str,
    applies: fn(&Difference, &Context<'_>) -> bool,
}

impl Explanation {
    /// The first rule that explains a difference.
    pub fn of(difference: &Difference, context: &Context<'_>) -> Option<&'static Self> {
        EXPLANATIONS.iter().find(|it| {
            it.until.is_none_or(|day| context.generation.before(day)) && (it.applies)(difference, context)
        })
    }
}

const CONNECTIONS: &[Kind] = &[Kind::ScopeConnection, Kind::NetworkManagerConnection];

/// The first newer build after the summer of 2022 that was recorded: shapes gone by then explain nothing from here.
const BUILD_2023: Date = date(2023, 8, 1);

/// The first traffic in which connections across tenants have today's names.
const BUILD_2022_06: Date = date(2022, 6, 1);

/// Until then a group's memberType was sent as the full name of the type (cli-static-member@2022-04-11).
pub const MEMBER_TYPE_WORD: Date = BUILD_2022_06;

/// Every rule.
pub const EXPLANATIONS: &[Explanation] = &[
    // Shapes of older builds.
    Explanation {
        name: "older-connection-location",
        until: Some(BUILD_2023),
        reason: "older builds gave a network manager connection an empty location",
        evidence: "cli-connection-subscription@2022-06-27 has it, @2023-08-29 does not",
        applies: |it, context| {
            let empty = it.what == What::Missing && it.is_at(&["location"]) && it.recorded == "\"\"";
            empty && context.is(&[Kind::NetworkManagerConnection])
        },
    },
    Explanation {
        name: "older-connection-system-data",
        until: Some(BUILD_2023),
        reason: "older builds gave a network manager connection no systemData",
        evidence: "cli-connection-subscription@2022-06-27 lacks it, @2023-08-29 does not",
        applies: |it, context| {
            it.what == What::Extra
                && it.is_at(&["systemData"])
                && context.is(&[Kind::NetworkManagerConnection])
        },
    },
    Explanation {
        name: "older-connection-type",
        until: Some(date(2022, 4, 1)),
        reason: "the first builds named the type of a network manager connection as if it lay under the manager",
        evidence: "cli-connection-subscription@2022-03-09 has it, @2022-04-11 does not",
        applies: |it, context| {
            it.what == What::Value
                && it.is_at(&["type"])
                && it.recorded == "\"Microsoft.Network/networkManagers/networkManagerConnections\""
                && context.is(&[Kind::NetworkManagerConnection])
        },
    },
    Explanation {
        name: "older-display-name",
        until: Some(BUILD_2023),
        reason: "older builds gave managers and groups a displayName",
        evidence: "cli-group@2022-06-27 has it, @2023-08-29 does not",
        applies: |it, context| {
            // What was sent comes back, and "" where nothing was; a read is believed.
            let sent = context
                .exchange
                .request_body
                .as_ref()
                .and_then(|body| body.pointer("/properties/displayName"));
            let wanted = sent.map_or_else(|| "\"\"".to_owned(), ToString::to_string);
            let text = it.recorded.starts_with('"');
            it.what == What::Missing
                && it.is_at(&["properties", "displayName"])
                && text
                && (context.exchange.method != "PUT" || it.recorded == wanted)
                && context.is(&[Kind::NetworkManager, Kind::NetworkGroup])
        },
    },
    Explanation {
        name: "older-member-type",
        until: Some(date(2024, 5, 1)),
        reason: "older builds did not tell a group's memberType",
        evidence: "cli-group@2023-08-29 lacks it, @2024-06-05 (2024-05-21) does not; the specification has it from 2024-03-01 on",
        applies: |it, context| {
            it.what == What::Extra
                && it.is_at(&["properties", "memberType"])
                && context.is(&[Kind::NetworkGroup])
        },
    },
    Explanation {
        name: "older-group-members",
        until: Some(BUILD_2022_06),
        reason: "the first builds gave a group the members and the condition that are resources of their own since",
        evidence: "cli-static-member@2022-04-11 has groupMembers and conditionalMembership, @2022-06-27 does not",
        applies: |it, context| {
            let at = |name| it.is_at(&["properties", name]);
            let gone = it.what == What::Missing && (at("groupMembers") || at("conditionalMembership"));
            let word =
                it.what == What::Value && at("memberType") && it.recorded.contains("Microsoft.Network/");
            (gone || word) && context.is(&[Kind::NetworkGroup])
        },
    },
    Explanation {
        name: "older-multi-tenant-scopes",
        until: Some(BUILD_2022_06),
        reason: "the first builds named a manager's crossTenantScopes multiTenantScopes",
        evidence: "cli-scope-connection@2022-04-11 has the older name, @2022-06-27 does not",
        applies: |it, context| {
            let at = |name| it.is_at(&["properties", "networkManagerScopes", name]);
            let older = it.what == What::Missing && at("multiTenantScopes") && it.recorded == "[]";
            let newer = it.what == What::Extra && at("crossTenantScopes") && it.replayed == "[]";
            (older || newer) && context.is(&[Kind::NetworkManager])
        },
    },
    Explanation {
        name: "older-resource-guid",
        until: Some(date(2022, 3, 1)),
        reason: "the previews of 2021 gave managers and groups no resourceGuid",
        evidence: "specification 2021-02-01-preview lacks it; the oldest recording (2022-03-07) has it",
        applies: |it, context| {
            it.what == What::Extra
                && it.is_at(&["properties", "resourceGuid"])
                && context.is(&[Kind::NetworkManager, Kind::NetworkGroup])
        },
    },
    Explanation {
        name: "older-member-location",
        until: Some(BUILD_2023),
        reason: "older builds did not tell a member's location",
        evidence: "cli-static-member@2022-06-27 lacks it, @2023-08-29 does not",
        applies: |it, context| {
            it.what == What::Extra
                && it.is_at(&["properties", "location"])
                && context.is(&[Kind::StaticMember])
        },
    },
    Explanation {
        name: "older-member-state",
        until: Some(date(2022, 3, 28)),
        reason: "the first builds did not tell a member's provisioningState",
        evidence: "cli-static-member@2022-03-09 lacks it, @2022-03-29 does not",
        applies: |it, context| {
            let at = it.is_at(&["properties", "provisioningState"]);
            it.what == What::Extra && at && context.is(&[Kind::StaticMember])
        },
    },
    Explanation {
        name: "older-list-etag",
        until: Some(date(2024, 5, 1)),
        reason: "items of lists of groups and members had an empty etag until 2023-09, and have a real one since 2024-05",
        evidence: "cli-static-member@2023-09-13 has \"\", @2024-06-05 does not",
        applies: |it, context| {
            it.what == What::Form
                && it.is_at(&["etag"])
                && it.recorded == "\"\""
                && context.is_list()
                && context.is(&[Kind::NetworkGroup, Kind::StaticMember])
        },
    },
    Explanation {
        name: "older-404-text",
        until: Some(BUILD_2023),
        reason: "older builds wrote two spaces before the id of what is not there",
        evidence: "wire-facts 8, recording not shared (2022-06)",
        applies: |it, context| {
            let spaces = it.recorded.contains("Resource  [");
            it.is_at(&["error", "message"])
                && spaces
                && it.recorded.replacen("Resource  [", "Resource [", 1) == it.replayed
                && context.exchange.status == 404
        },
    },
    Explanation {
        name: "older-group-delete",
        until: Some(date(2024, 9, 27)),
        reason: "a group that once had a member went at once, with 200, in older builds; now it is a 202",
        evidence: "35 of 35 recordings until 2024-05-30 are 200, 17 of 17 from 2024-09-27 on are 202 (cli-static-member@2025-03-07)",
        applies: |it, context| {
            let deleted = context.exchange.method == "DELETE" && context.is(&[Kind::NetworkGroup]);
            deleted && it.place == Place::Status && it.recorded == "200" && it.replayed.starts_with("202")
        },
    },
    Explanation {
        name: "older-rate-limits",
        until: Some(date(2024, 10, 18)),
        reason: "the older regime of rate limits had no global counts",
        evidence: "wire-facts 10: last seen 2024-10-01; the newer first on 2024-10-18",
        applies: |it, _| {
            it.what == What::Extra && it.is_header(|name| is_remaining(name) && name.contains("-global-"))
        },
    },
    // What depends on the front end, the recorder, or the moment.
    Explanation {
        name: "throttling-v2",
        until: None,
        reason: "answers of front ends with x-ms-throttling-version: v2 have no global count",
        evidence: "25 answers of 2025-09 (cli-static-member@2025-09-30, whose conversion dropped that header)",
        applies: |it, context| {
            let global = it.what == What::Extra
                && it.is_header(|name| is_remaining(name) && name.contains("-global-"));
            let said = context.exchange.headers.get("x-ms-throttling-version").is_some_and(|it| it == "v2");
            // Where no answer has that header, somebody dropped it, whoever recorded; such front ends exist since then.
            let untold = !context.names_front_ends && !context.generation.before(date(2025, 8, 1));
            global && (said || untold)
        },
    },
    Explanation {
        name: "trimmed-zero",
        until: None,
        reason: "PowerShell's recorder drops zeros at the end of a second's digits; Azure sent all seven",
        evidence: "wire-facts 2: the recorded Content-Length counts the digit that is missing",
        applies: |it, context| {
            let at = it.is_at(&["systemData", "createdAt"]) || it.is_at(&["systemData", "lastModifiedAt"]);
            let digits = fraction_digits(it.recorded.trim_matches('"'));
            let trimmed = matches!(digits, Some(1..7)) && !it.recorded.trim_matches('"').ends_with("0Z");
            it.what == What::Form && at && trimmed && context.recorder == Recorder::Complete
        },
    },
    Explanation {
        name: "timing-connection",
        until: None,
        reason: "recorded Pending where the emulator is already Connected: when a half looks at the other is Azure's to decide, and builds of 2022 never did so by themselves",
        evidence: "cli-scope-connection@2022-06-27 stays Pending, @2023-08-29 is Connected 1 to 3 s later",
        applies: |it, context| {
            it.what == What::Value
                && it.is_at(&["properties", "connectionState"])
                && (it.recorded.as_str(), it.replayed.as_str()) == ("\"Pending\"", "\"Connected\"")
                && context.is(CONNECTIONS)
                && !context.went_back
        },
    },
    Explanation {
        name: "timing-member",
        until: None,
        reason: "recorded Updating where the emulator's member is done already: how long it takes is Azure's",
        evidence: "cli-static-member@2025-09-30 is Updating, @2023-09-13 Succeeded within 4 s",
        applies: |it, context| {
            let updating = it.property("provisioningState") == Some("Updating");
            let state = it.is_at(&["properties", "provisioningState"])
                && matches!(it.replayed.as_str(), "\"Succeeded\"" | "\"Failed\"");
            let told = it.recorded.trim_matches('"');
            let region = told.is_empty() || context.region == Some(told);
            let place = it.is_at(&["properties", "location"])
                && (it.recorded == "\"\"" || it.replayed == "\"\"")
                && region;
            it.what == What::Value
                && updating
                && (state || place)
                && context.is(&[Kind::StaticMember])
                && context.exchange.method == "GET"
                && !context.went_back
        },
    },
    Explanation {
        name: "timing-manager",
        until: None,
        reason: "recorded Updating where the emulator's manager is done already: how long it takes is Azure's",
        evidence: "wire-facts 2, recording not shared: Updating after an access was added",
        applies: |it, context| {
            it.what == What::Value
                && it.is_at(&["properties", "provisioningState"])
                && (it.recorded.as_str(), it.replayed.as_str()) == ("\"Updating\"", "\"Succeeded\"")
                && context.is(&[Kind::NetworkManager])
                && context.exchange.method == "GET"
                && !context.went_back
        },
    },
    Explanation {
        name: "timing-operation",
        until: None,
        reason: "recorded 202 where the emulator's delete is done already: how long it runs is Azure's",
        evidence: "cli-static-member@2025-09-30: 202 at once, 204 half a minute later",
        applies: |it, context| {
            let done = it.replayed.starts_with("204") || it.replayed.starts_with("404");
            it.place == Place::Status && it.recorded == "202" && done && context.is(&[Kind::OperationResult])
        },
    },
    // What the emulator has no part in.
    Explanation {
        name: "neighbour-type",
        until: None,
        reason: "another child type of a network manager: the emulator keeps none, so only that one is missing can be replayed",
        evidence: "the operator never calls them; cli-other-404-envelopes and cli-delete-missing-child-204 are of this kind",
        applies: |it, context| it.what == What::Unreplayed && context.path.is_some_and(is_neighbour),
    },
    Explanation {
        name: "neighbour-body",
        until: None,
        reason: "the error or empty list of another child type: status and headers are compared, the body's form is an assumption",
        evidence: "recorded for ipamPools only (cli-other-404-envelopes@2025-09-30), which is compared",
        applies: |it, context| {
            let recorded_type =
                context.path.is_some_and(|path| path.types == ["networkManagers", "ipamPools"]);
            matches!(it.place, Place::Body(_)) && context.path.is_some_and(is_neighbour) && !recorded_type
        },
    },
    Explanation {
        name: "other-service",
        until: None,
        reason: "a call to another host than Azure Resource Manager's",
        evidence: "the emulator is Azure Resource Manager and Entra's token endpoint",
        applies: |it, context| {
            let origin = context.exchange.origin.as_deref();
            it.what == What::Unreplayed && origin.is_some_and(|origin| !is_arm(origin))
        },
    },
    Explanation {
        name: "container",
        until: None,
        reason: "a call about a subscription, resource group, management group or registration: part of the stage and not of the service",
        evidence: "recordings of tests make and delete their resource groups",
        applies: |it, context| {
            let stage = context.path.map_or_else(
                || !context.exchange.path.to_ascii_lowercase().contains("microsoft.network"),
                |path| {
                    let ours = path
                        .namespace
                        .as_deref()
                        .is_some_and(|it| it.eq_ignore_ascii_case("Microsoft.Network"));
                    !ours || path.types.is_empty() || path.types == ["register"]
                },
            );
            it.what == What::Unreplayed && stage
        },
    },
    Explanation {
        name: "other-network-type",
        until: None,
        reason: "a resource of Microsoft.Network that has nothing to do with network managers, or an action on a network",
        evidence: "the operator never calls them",
        applies: |it, context| {
            let types = context.path.map(|path| path.types.as_slice()).unwrap_or_default();
            let named = types
                .first()
                .is_some_and(|first| OTHER_TYPES.iter().any(|it| it.eq_ignore_ascii_case(first)));
            let of_network = types.first().is_some_and(|first| first == "virtualNetworks") && types.len() > 1;
            it.what == What::Unreplayed && (named || (of_network && !context.is(&[Kind::Subnet])))
        },
    },
    Explanation {
        name: "neighbour-nested",
        until: None,
        reason: "the refusal to delete a manager names a child that the emulator does not keep; it names another",
        evidence: "Azure/azure-rest-api-specs#31688",
        applies: |it, context| {
            let text = "Some existing nested resource IDs include";
            let both = it.recorded.contains(text) && it.replayed.contains(text);
            let neighbour = NEIGHBOURS.iter().any(|name| it.recorded.contains(&format!("/{name}/")));
            it.is_at(&["error", "message"]) && both && neighbour && context.exchange.status == 409
        },
    },
    Explanation {
        name: "network-write",
        until: None,
        reason: "a virtual network or subnet is made or deleted: in the emulator that happens behind the scenes",
        evidence: "the operator only reads them",
        applies: |it, context| {
            let network = context.is(&[Kind::VirtualNetwork, Kind::Subnet]);
            it.what == What::Unreplayed && network && context.exchange.method != "GET"
        },
    },
    Explanation {
        name: "network-body",
        until: None,
        reason: "a virtual network has more properties than the emulator shows: the operator reads that it exists, and where",
        evidence: "specification, VirtualNetworkPropertiesFormat; no recording of one is shared",
        applies: |it, context| {
            let inner = matches!(&it.place, Place::Body(at) if !matches!(at.first().map(String::as_str), Some("id" | "name" | "type" | "location" | "error")));
            inner && context.is(&[Kind::VirtualNetwork, Kind::Subnet]) && context.exchange.is_success()
        },
    },
    Explanation {
        name: "before-file",
        until: None,
        reason: "a poll, or a later page, of what began before the file did, or outside of it",
        evidence: "no answer in the file gives this link, and no call in it could have",
        applies: |it, _| it.what == What::Unreplayed && it.replayed == BEFORE_FILE,
    },
    Explanation {
        name: "server-fault",
        until: None,
        reason: "a 5xx is an accident and no rule of the service: it is decoded and not replayed",
        evidence: "HTTP",
        applies: |it, context| it.what == What::Unreplayed && context.exchange.status >= 500,
    },
];

/// Why a link was not followed.
pub const BEFORE_FILE: &str = "it began before the file did, or outside of it";

/// Children of a network manager that are not ours, and actions on it. Named, so that a misspelt type of ours is none.
const NEIGHBOURS: &[&str] = &[
    "commit",
    "commits",
    "connectivityConfigurations",
    "effectiveVirtualNetworks",
    "ipamPools",
    "listActiveConnectivityConfigurations",
    "listActiveSecurityAdminRules",
    "listActiveSecurityUserRules",
    "listDeploymentStatus",
    "listEffectiveVirtualNetworks",
    "routingConfigurations",
    "securityAdminConfigurations",
    "securityConfigurations",
    "securityUserConfigurations",
    "verifierWorkspaces",
];

/// Types of Microsoft.Network beside network managers, as far as tests of them make such things.
const OTHER_TYPES: &[&str] = &[
    "applicationSecurityGroups",
    "locations",
    "networkInterfaces",
    "networkSecurityGroups",
    "networkWatchers",
    "operations",
    "publicIPAddresses",
    "routeTables",
    "virtualHubs",
    "virtualWans",
];

/// Whether a path is of another child type of a network manager, or an action on one.
pub fn is_neighbour(path: &ArmPath) -> bool {
    let named = |name: &String| NEIGHBOURS.iter().any(|known| known.eq_ignore_ascii_case(name));
    path.types.first().is_some_and(|first| first == "networkManagers") && path.types.iter().skip(1).any(named)
}

/// Whether a host is Azure Resource Manager's, in whichever cloud.
pub fn is_arm(origin: &str) -> bool {
    origin.starts_with("https://management.") || origin.starts_with("https://api-dogfood.resources.")
}
