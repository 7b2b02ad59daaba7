//! Lists: to their end, and nowhere else.

use avnm_terms::{FaultKind, ManagerId};

use crate::{
    kind, manager,
    stage::{CENTRAL, Reply, Stage, credential},
};

#[tokio::test]
async fn a_list_goes_on_to_its_end_and_nowhere_else() {
    fn page(items: &[&str], next: &str) -> Reply {
        let items: Vec<_> = items
            .iter()
            .map(|name| format!(r#"{{"name":"{name}","properties":{{"connectionState":"Pending"}}}}"#))
            .collect();
        Reply::json(200, &format!(r#"{{"value":[{}],"nextLink":"{next}"}}"#, items.join(",")))
    }
    let elsewhere = Stage::start(|_, _| None).await;
    let trap = elsewhere.url();
    let stage = Stage::start(move |seen, _| {
        let host = seen.header("host").to_owned();
        Some(match seen.path.split_once('?').map(|(path, _)| path.rsplit('/').nth(1).unwrap_or_default()) {
            Some("good") if seen.path.contains("skip=2") => page(&["c"], ""),
            // An empty page is not the end, and the next may have another api-version.
            Some("good") if seen.path.contains("skip=1") => {
                page(&[], &format!("https://{host}/x/good/y?api-version=2021-01-01&skip=2"))
            }
            Some("good") => {
                page(&["a", "b"], &format!("https://{host}/x/good/y?api-version=2021-01-01&skip=1"))
            }
            Some("trap") => page(&["a"], &format!("{trap}/x/y?skip=1")),
            Some("loop") => page(&["a"], &format!("https://{host}/x/loop/y?skip=1")),
            Some("lost") if seen.path.contains("skip=1") => Reply::error(404, "NotFound"),
            Some("lost") => page(&["a"], &format!("https://{host}/x/lost/y?skip=1")),
            _ => return None,
        })
    })
    .await;
    let (arm, central) = (stage.arm(), credential("a", CENTRAL));
    let list = async |name: &str| {
        let manager =
            ManagerId::parse(&format!("{}/{name}", manager().arm().as_str().rsplit_once('/').unwrap().0));
        arm.list_scope_connections(&central, &manager.unwrap()).await
    };
    let names: Vec<_> = list("good").await.found().unwrap().iter().map(|c| c.id.name().to_owned()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(stage.calls().iter().all(|call| !call.path.contains("top")));
    assert_eq!(kind(&list("trap").await), FaultKind::Malformed);
    assert_eq!(kind(&list("loop").await), FaultKind::Malformed);
    assert_eq!(kind(&list("lost").await), FaultKind::UnprovenNotFound);
    assert!(list("none").await.is_absent());
    assert!(elsewhere.calls().is_empty());
}
