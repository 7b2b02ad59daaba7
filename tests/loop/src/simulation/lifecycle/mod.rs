//! The reference lifecycles: what users, strangers, tools and time do, and what is waited for.

mod azure;
mod cluster;
mod lease;
mod life;
mod naming;
mod sharing;

use serde_json::Value;

use super::{
    act::{Act, On},
    manifests::{self, CONNECTIONS, HUB, MEMBERS},
};

/// The connection of most lifecycles.
const LINK: On = (CONNECTIONS, HUB, "link");
/// Its member.
const VNET: On = (MEMBERS, HUB, "vnet01");

/// The lifecycles by name; `hardy` ones end well whatever one call suffers.
macro_rules! lifecycles {
    ($($(#[doc = $doc:literal])+ $name:ident $word:literal $acts:path $(, $hardy:ident)?;)+) => {
        /// A reference lifecycle.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Lifecycle {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Lifecycle {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// Whether it ends well whatever one call suffers. In the others a call that fails changes what a person has to do
            /// next, or the moment that is played is one between two calls.
            pub fn outlives_faults(self) -> bool {
                match self {
                    $(Self::$name => lifecycles!(@hardy $($hardy)?),)+
                }
            }

            pub(crate) fn acts(self) -> Vec<Act> {
                match self {
                    $(Self::$name => $acts(),)+
                }
            }
        }
    };
    (@hardy hardy) => { true };
    (@hardy) => { false };
}

lifecycles! {
    /// A connection and a member are made, rest, and are deleted: the connection first.
    MadeAndDeleted "made-and-deleted" life::made_and_deleted, hardy;
    /// A connection is deleted while a member needs it.
    Blocked "blocked" life::blocked, hardy;
    /// Descriptions change, a half is taken out and put back, both by hand and by a stranger.
    Edited "edited" life::edited, hardy;
    /// Both are renamed, and the connection is moved to another namespace.
    Renamed "renamed" naming::renamed, hardy;
    /// The write of an heir's claim hangs and fails, while the object that has it goes.
    Unwritten "unwritten" naming::unwritten;
    /// Suspended, observed, orphaned, and adopted by another object.
    Orphaned "orphaned" life::orphaned, hardy;
    /// While suspended a half is taken out and put back under the name of what somebody else made.
    PutBack "put-back" naming::put_back, hardy;
    /// Somebody else's thing stands under our name, and is taken over when that is allowed.
    Foreign "foreign" naming::foreign, hardy;
    /// The namespace ends with all that is in it: objects, credentials and Secrets go in an order of the seed.
    NamespaceEnds "namespace-ends" life::namespace_ends;
    /// While it is suspended, and while it observes, nothing is written, whatever strangers do.
    HandsOff "hands-off" life::hands_off, hardy;
    /// A day of rest.
    DayOfRest "day-of-rest" life::day_of_rest;
    /// Secrets are replaced by wrong ones and right ones.
    Rotated "rotated" life::rotated, hardy;
    /// Somebody makes it between our claim and our write.
    Forestalled "forestalled" naming::forestalled;
    /// Somebody makes it after our write was cut, and it is deleted at once.
    Overtaken "overtaken" naming::overtaken;
    /// What is identical may not be taken over either.
    Never "never" naming::never, hardy;
    /// What was left in Azure a moment ago is taken over by nobody who may not.
    LeftBehind "left-behind" naming::left_behind;
    /// The same connection stands there under another name.
    Elsewhere "elsewhere" naming::elsewhere, hardy;
    /// A write takes effect after it was cut, and its object is deleted meanwhile.
    LateAfterCut "late-after-cut" azure::late_after_cut;
    /// The same, and the process died.
    LateAfterCrash "late-after-crash" azure::late_after_crash;
    /// It is deleted right after it was made, and reads lag behind writes.
    Lagging "lagging" azure::lagging;
    /// The same of a member.
    LaggingMember "lagging-member" azure::lagging_member;
    /// What is deleted is shown for a while.
    SlowlyGone "slowly-gone" azure::slowly_gone;
    /// What is deleted is shown for a while, and somebody wants it.
    Lingering "lingering" azure::lingering;
    /// A member's network is swapped while Azure wants no PUT.
    Swapped "swapped" azure::swapped;
    /// A stranger undoes what we do, again and again.
    Contended "contended" azure::contended;
    /// Azure says Conflict, and takes no write.
    InConflict "in-conflict" azure::in_conflict;
    /// Azure answers no read for a while.
    Unheard "unheard" azure::unheard;
    /// What one wants is not wanted by another that is suspended, or cannot sign in.
    Unwilling "unwilling" sharing::unwilling;
    /// Of two that share one half, the other half of the second is its own.
    Halves "halves" sharing::halves;
    /// A credential of the cluster is lent, withdrawn, and lent again.
    Lent "lent" sharing::lent;
    /// It is withdrawn while something is about to be taken over with it.
    Withdrawn "withdrawn" sharing::withdrawn;
    /// A connection moves to another credential; not to one that is being deleted.
    Moved "moved" sharing::moved, hardy;
    /// A wish that is accepted between the last read and the write counts.
    Meanwhile "meanwhile" cluster::meanwhile;
    /// A word that this version does not know holds what it held, also after a restart.
    Skewed "skewed" cluster::skewed;
    /// The CRD of connections is deleted.
    CrdGoes "crd-goes" cluster::crd_goes;
    /// An admission policy refuses status for a while.
    Refused "refused" cluster::refused;
    /// A tool takes the finalizer away.
    Stripped "stripped" cluster::stripped, hardy;
    /// The wall clock steps, ahead and back.
    Stepping "stepping" cluster::stepping, hardy;
    /// The leader is cut from its lease, and another one takes over.
    TwoReplicas "two-replicas" lease::two_replicas;
}

/// The credentials, a connection and its member, made and Ready.
fn made() -> Vec<Act> {
    let mut acts = credentials(HUB);
    acts.push(Act::Create(manifests::connection(HUB, "link")));
    acts.push(Act::Create(manifests::member(HUB, "vnet01", "link")));
    acts.extend([Act::Ready(LINK), Act::Ready(VNET), Act::InAzure(3)]);
    acts
}

/// The credentials and a connection, made and Ready.
fn linked() -> Vec<Act> {
    let mut acts = credentials(HUB);
    acts.push(Act::Create(manifests::connection(HUB, "link")));
    acts.extend([Act::Ready(LINK), Act::InAzure(2)]);
    acts
}

fn credentials(namespace: &str) -> Vec<Act> {
    manifests::credentials(namespace).into_iter().map(Act::Create).collect()
}

/// These are deleted one after another, and nothing is left.
fn ends(objects: &[On]) -> Vec<Act> {
    let mut acts: Vec<Act> = objects.iter().flat_map(|on| [Act::Delete(*on), Act::Gone(*on)]).collect();
    acts.push(Act::InAzure(0));
    acts
}

/// A patch of spec.
fn spec(on: On, patch: &Value) -> Act {
    Act::Patch(on, serde_json::json!({"spec": patch}))
}
