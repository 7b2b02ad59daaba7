//! Reasons of Kubernetes events that are no reasons of Ready. An event whose reason is one of Ready's tells that Ready changed
//! to it.

use crate::reason::Who;

macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:ident: $who:ident, $next:literal;)+) => {
        /// What an event tells, beside changes of Ready.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event {
            $($(#[doc = $doc])* $name,)+
        }

        impl Event {
            /// Every one of them.
            pub const ALL: &[Event] = &[$(Event::$name),+];

            /// The reason of the event. Never renamed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What happened, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)+
                }
            }

            /// Who may want to do something about it.
            pub fn who(self) -> Who {
                match self {
                    $(Self::$name => Who::$who,)+
                }
            }

            /// The next step, in one sentence.
            pub fn next(self) -> &'static str {
                match self {
                    $(Self::$name => $next,)+
                }
            }
        }
    };
}

events! {
    /// What the object held in Azure was deleted behind our back: it is made again.
    DriftDetected: ClusterOperator, "Find who deleted it, in the activity log of that tenant.";
    /// A field was changed behind our back: it is put back.
    DriftCorrected: ClusterOperator, "Find who changed it, in the activity log of that tenant; or change spec.";
    /// spec changed, and Azure is made to match.
    SpecChanged: Nobody, "Nothing.";
    /// What was there already is this object's now, as its adoptionPolicy says.
    Adopted: Nobody, "Nothing.";
    /// What another object held is this one's now: that one is being deleted.
    TakenOver: Nobody, "Nothing.";
    /// What this object held is another one's now, and stays in Azure.
    HandedOver: Nobody, "Nothing.";
    /// Someone else made it before us: it is theirs.
    ClaimDropped: ClusterOperator, "Decide whose it is; adoptionPolicy says whether this object may take it.";
    /// A half is no longer this object's and stays in Azure: spec names another one, or none.
    HalfReleased: Nobody, "Delete it in Azure if nobody needs it.";
    /// A member is no longer this object's and stays in Azure.
    MemberReleased: Nobody, "Delete it in Azure if nobody needs it.";
    /// The object is gone, and what it held stays in Azure, as its deletionPolicy says.
    Orphaned: Nobody, "Delete it in Azure if nobody needs it.";
    /// The annotation avnm.dev/recreate asked for it: our halves are deleted and made again.
    Recreating: Nobody, "Wait.";
    /// The object held something and had lost its finalizer, which is put back.
    FinalizerRestored: ClusterOperator, "Find who takes finalizers off: without it, deletion leaves things behind in Azure.";
    /// The Kubernetes API refused a call for the object.
    KubernetesRefused: ClusterOperator, "Allow it: see the operator's rights and the admission policies of this cluster.";
    /// The object does not decode, and is left alone.
    Undecodable: ClusterOperator, "Correct it, or run a version of the operator that knows what it says.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn no_event_has_the_word_of_a_reason_of_ready() {
        for event in Event::ALL {
            let word = event.as_str();
            assert!(word.len() <= 128 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{word}");
            assert!(Reason::ALL.iter().all(|reason| reason.word() != word), "{word} means two things");
            assert!(event.next().ends_with('.') && event.meaning().ends_with('.'), "{word}");
        }
    }
}
