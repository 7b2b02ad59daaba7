//! What is done in a lifecycle, and what is waited for.

use avnm_emulator::ConnectionState;
use serde_json::Value;

use super::faults::Fault;

/// An object: its kind, namespace and name.
pub(crate) type On = (&'static str, &'static str, &'static str);

/// One thing that is done, or waited for.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// An object is created.
    Create(Value),
    /// A patch is merged into an object.
    Patch(On, Value),
    /// An object is deleted.
    Delete(On),
    /// An object says that it is Ready, of its present generation.
    Ready(On),
    /// An object's Ready has this reason.
    Because(On, &'static str),
    /// An object is gone.
    Gone(On),
    /// An object is there, and has this finalizer.
    Held(On, &'static str),
    /// So many ids in Azure are there, of all that the lifecycles declare.
    InAzure(usize),
    /// So many hours of rest: nothing is written anywhere.
    Rest(u64),
    /// So many minutes pass.
    Pass(u64),
    /// Azure is written to by nobody from here until the same again.
    NoWrites,
    /// Writes to Azure are counted from here on.
    Mark,
    /// So many writes to Azure at most since they are counted.
    WritesAtMost(usize),
    /// Somebody changes a thing in Azure behind our back: the place of its id, and its properties.
    Stranger(usize, Value),
    /// Somebody makes a thing in Azure under this id.
    Appear(String, Value),
    /// Somebody deletes it.
    Vanish(String),
    /// A thing in Azure says this still: the id, and its description.
    Says(String, &'static str),
    /// A member in Azure is of this network.
    Connects(String, &'static str),
    /// Azure gives a half this state, or its own again.
    State(String, Option<ConnectionState>),
    /// Azure behaves by these settings.
    Settings(Value),
    /// A namespace is deleted.
    EndNamespace(&'static str),
    /// A namespace is gone.
    NamespaceGone(&'static str),
    /// A namespace has these labels.
    Labels(&'static str, &'static [(&'static str, &'static str)]),
    /// A kind's CRD is changed.
    Crd(&'static str, fn(&mut Value)),
    /// The process ends, and another one starts.
    Restart,
    /// A second process stands by.
    StandBy,
    /// The lease's calls of the process that has it are cut from now on.
    CutLease,
    /// Writes of status are refused by an admission policy, or no more.
    Refuse(bool),
    /// Azure answers nothing that is read, or does so again.
    Deaf(bool),
    /// The wall clock steps by so many seconds.
    Step(i64),
    /// So many different notes were told of this reason, at least.
    Told(&'static str, usize),
    /// Nothing was told of this reason.
    Untold(&'static str),
    /// Before the first call from now on whose line in the trace has this in it, this is done.
    Before(String, Vec<Act>),
    /// What such a call suffers; of others nobody.
    Suffer(Fault),
    /// This is done if it can be: the object may be there or not.
    Try(Box<Act>),
    /// The watches of the operator show nothing for a while.
    StaleWatches,
    /// Whoever is left says how it stands; all is let go, and nothing of ours is left in Azure but these ids.
    Clear(Vec<String>),
}
