//! What rules say of a value, remembered: thousands of runs write the same objects, and a verdict depends on nothing else.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use kube::core::cel::{CompiledSchema, Validator};
use serde_json::Value;

use crate::aside::aside;

/// What a rule refuses.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    /// The field below the value, if the rule names one.
    pub(super) field: String,
    pub(super) message: String,
}

/// Rules that are asked of values.
#[derive(Debug)]
pub(super) struct Asked {
    rules: CompiledSchema,
    /// Which rules these are: the same text has the same.
    id: u64,
}

/// Verdicts that are kept at most, since what is kept for all runs must not grow with their number. Then all are asked for anew.
const KEPT: usize = 200_000;

/// Verdicts by the rules and both values, as two different hashes of them: one may meet another's by chance.
static VERDICTS: Mutex<BTreeMap<[u64; 2], Arc<[Refused]>>> = Mutex::new(BTreeMap::new());

fn hash(what: &impl Hash) -> u64 {
    // Its keys are fixed: nothing is drawn.
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl Asked {
    pub(super) fn new(schema: &Value, rules: CompiledSchema) -> Self {
        Self { rules, id: hash(schema) }
    }

    /// What these rules refuse of a value that was another before.
    pub(super) fn refuses(&self, value: &Value, old: Option<&Value>) -> Arc<[Refused]> {
        let key = [hash(&(self.id, value, old)), hash(&(old, value, self.id, "again"))];
        let known = || VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = known().get(&key) {
            return Arc::clone(verdict);
        }
        let verdict: Arc<[Refused]> = aside(|| self.ask(value, old)).into();
        let mut known = known();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(&verdict));
        verdict
    }

    fn ask(&self, value: &Value, old: Option<&Value>) -> Vec<Refused> {
        let Err(refusals) = Validator::new().validate_compiled(&self.rules, value, old) else {
            return Vec::new();
        };
        let refusals = refusals.into_vec().into_iter();
        refusals.map(|refusal| Refused { field: refusal.field_path, message: refusal.message }).collect()
    }
}
