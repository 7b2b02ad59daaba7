//! Fields that the served kind does not declare: the CustomResourceDefinitions are older than this operator, as after a
//! rollback. A server-side apply with such a field is refused as a whole, where any other write would drop the field.

use serde_json::Value;

/// How often one write is tried without what was refused: the API server names one field of a map at a time.
pub(crate) const ROUNDS: usize = 16;

const SAYS: &str = ": field not declared in schema";

/// Takes out of an object's status what an answer says is not declared. Says whether anything was: the object is worth
/// sending again then.
pub(crate) fn take_out(object: &mut Value, answer: &str) -> bool {
    let mut any = false;
    let mut rest = answer;
    while let Some((before, after)) = rest.split_once(SAYS) {
        rest = after;
        // A path ends where the words before it do. Keys of list items, which may have spaces, stand in brackets.
        let Some(at) = before.rfind(".status.") else { continue };
        any |= remove(object, before[at + 1..].split('.'));
    }
    any
}

/// Removes the field at the end of a path; of a list, from every item.
fn remove<'a>(value: &mut Value, mut path: impl Iterator<Item = &'a str> + Clone) -> bool {
    if let Value::Array(items) = value {
        let gone = items.iter_mut().map(|item| remove(item, path.clone()));
        return gone.filter(|gone| *gone).count() > 0;
    }
    let (Some(map), Some(step)) = (value.as_object_mut(), path.next()) else { return false };
    let field = step.split('[').next().unwrap_or(step);
    if path.clone().next().is_none() {
        return map.remove(field).is_some();
    }
    map.get_mut(field).is_some_and(|value| remove(value, path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        json!({"spec": {"a": 1}, "status": {
            "a": 1, "b": {"c": {"d": 1, "e": 2}},
            "conditions": [{"type": "Ready", "new": 1}, {"type": "Synced", "new": 2}],
        }})
    }

    /// The words before it are the API server's own, of 1.37.
    fn answer(paths: &[&str]) -> String {
        let head = "failed to create typed patch object (hub/x; avnm.dev/v1alpha1, Kind=StaticMember): ";
        match paths {
            [path] => format!("{head}{path}{SAYS}"),
            paths => paths.iter().fold(format!("{head}errors:"), |all, path| format!("{all} {path}{SAYS}")),
        }
    }

    #[test]
    fn what_is_named_is_taken_out() {
        let all = object();
        for (paths, gone) in [
            (&[".status.a"][..], &["/status/a"][..]),
            (&[".status.b.c.d"], &["/status/b/c/d"]),
            (&[".status.b.c.e", ".status.a"], &["/status/a", "/status/b/c/e"]),
            (
                &[".status.conditions[type=\"Ready\"].new"],
                &["/status/conditions/0/new", "/status/conditions/1/new"],
            ),
        ] {
            let mut object = all.clone();
            assert!(take_out(&mut object, &answer(paths)), "{paths:?}");
            let mut expected = all.clone();
            for pointer in gone {
                let (parent, field) = pointer.rsplit_once('/').unwrap();
                expected.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field);
            }
            assert_eq!(object, expected, "{paths:?}");
        }
    }

    #[test]
    fn everything_else_is_left_as_it_is() {
        for said in [
            "",
            "Operation cannot be fulfilled: the object has been modified",
            &answer(&[".status.unknown"]),
            &answer(&[".status.a.b.c"]),
            &answer(&[".spec.a"]),
            SAYS,
        ] {
            let mut object = object();
            assert!(!take_out(&mut object, said), "{said}");
            assert_eq!(object, self::object(), "{said}");
        }
    }
}
