//! What a sequence is made of.

use std::time::Duration;

use serde_json::Value;

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `application/json`.
    Json,
    /// `application/merge-patch+json`.
    Merge,
    /// `application/apply-patch+yaml`.
    Apply,
}

impl Content {
    /// The header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Merge => "application/merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Ask {
    /// One request, one answer.
    Request(Content),
    /// A watch, until so many events came or nothing came for so long.
    Watch(usize, Duration),
    /// The request again and again, until it is answered with this code, or the field at this pointer has this value.
    Until(u16, Option<(&'static str, Value)>),
    /// So long nothing.
    Pause(Duration),
}

/// One step. In path and body, `${step.metadata.uid}` stands for a field of the answer of an earlier step.
#[derive(Debug, Clone)]
pub struct Step {
    /// By which others refer to it, and which the comparison names.
    pub name: String,
    /// What it does.
    pub ask: Ask,
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// The body; null sends none.
    pub body: Value,
    /// Who asks: the user agent.
    pub agent: String,
    /// In which form the answer is asked for.
    pub accept: &'static str,
    /// The fields of the answer that are compared, as pointers; all if there are none.
    pub look: Vec<&'static str>,
}

/// A sequence.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// Its name, and that of the namespace that it uses.
    pub name: &'static str,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Sequence {
    /// An empty one.
    pub fn new(name: &'static str) -> Self {
        Self { name, steps: Vec::new() }
    }

    /// One that begins with a namespace of its own.
    pub fn in_namespace(name: &'static str) -> Self {
        let mut sequence = Self::new(name);
        let namespace =
            serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        sequence.post("a namespace", "/api/v1/namespaces", namespace);
        sequence
    }

    fn step(&mut self, name: &str, ask: Ask, method: &'static str, path: &str, body: Value) -> &mut Step {
        assert!(
            self.steps.iter().all(|step| step.name != name),
            "{}: two steps are called {name}",
            self.name
        );
        self.steps.push(Step {
            name: name.to_owned(),
            ask,
            method,
            path: path.to_owned(),
            body,
            agent: "script/1.0".to_owned(),
            accept: "application/json",
            look: Vec::new(),
        });
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }

    /// GET.
    pub fn get(&mut self, name: &str, path: &str) -> &mut Step {
        self.step(name, Ask::Request(Content::Json), "GET", path, Value::Null)
    }

    /// POST.
    pub fn post(&mut self, name: &str, path: &str, body: Value) -> &mut Step {
        self.step(name, Ask::Request(Content::Json), "POST", path, body)
    }

    /// PUT.
    pub fn put(&mut self, name: &str, path: &str, body: Value) -> &mut Step {
        self.step(name, Ask::Request(Content::Json), "PUT", path, body)
    }

    /// A merge patch.
    pub fn merge(&mut self, name: &str, path: &str, body: Value) -> &mut Step {
        self.step(name, Ask::Request(Content::Merge), "PATCH", path, body)
    }

    /// An apply; manager and force stand in the query.
    pub fn apply(&mut self, name: &str, path: &str, body: Value) -> &mut Step {
        self.step(name, Ask::Request(Content::Apply), "PATCH", path, body)
    }

    /// DELETE, with its options.
    pub fn delete(&mut self, name: &str, path: &str, options: Value) -> &mut Step {
        self.step(name, Ask::Request(Content::Json), "DELETE", path, options)
    }

    /// A watch for so many events.
    pub fn watch(&mut self, name: &str, path: &str, events: usize) -> &mut Step {
        self.step(name, Ask::Watch(events, Duration::from_secs(6)), "GET", path, Value::Null)
    }

    /// The same of one that the server ends by itself: on a busy machine its last word may take a while.
    pub fn watch_to_its_end(&mut self, name: &str, path: &str, events: usize) -> &mut Step {
        self.step(name, Ask::Watch(events, Duration::from_secs(60)), "GET", path, Value::Null)
    }

    /// GET until it is answered with this code.
    pub fn until(&mut self, name: &str, path: &str, code: u16) -> &mut Step {
        self.step(name, Ask::Until(code, None), "GET", path, Value::Null)
    }

    /// GET until a field of the answer has this value.
    pub fn until_field(&mut self, name: &str, path: &str, pointer: &'static str, value: Value) -> &mut Step {
        self.step(name, Ask::Until(200, Some((pointer, value))), "GET", path, Value::Null)
    }

    /// Nothing for a while: what the real server does in the background has time to be done.
    pub fn pause(&mut self, name: &str, time: Duration) {
        self.step(name, Ask::Pause(time), "", "", Value::Null);
    }
}

impl Step {
    /// As someone else.
    pub fn agent(&mut self, agent: &str) -> &mut Self {
        agent.clone_into(&mut self.agent);
        self
    }

    /// Metadata only, of one object or of each that is watched.
    pub fn metadata_only(&mut self) -> &mut Self {
        self.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        self
    }

    /// Metadata only, of all in a list.
    pub fn metadata_list(&mut self) -> &mut Self {
        self.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        self
    }

    /// Compares these fields of the answer only.
    pub fn look(&mut self, fields: &[&'static str]) -> &mut Self {
        self.look = fields.to_vec();
        self
    }
}
