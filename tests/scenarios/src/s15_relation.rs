//! 15b: a sample of the matrix on a real API server. Each credential has an application of its own, so that the ledger
//! tells who signed each call; every call must be in the relation that is written down here, also after labels change and
//! after a namespace was deleted and made again.

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use serde_json::{Value, json};

use crate::canary;
use crate::context::Ctx;
use crate::home;
use crate::look;
use crate::matrix::{self, CENTRAL, Key, NAMESPACES, REFERENCES, Relation, app, credentials, name};
use crate::world::{self, CENTRAL_TENANT, SOON, TARGET_TENANT};

/// At first: each namespaced credential in its own namespace, the cluster's x by the label, its y by name.
fn at_first() -> Relation {
    Relation::from([((0, 0), app(1)), ((1, 0), app(2)), ((0, 3), app(3)), ((1, 4), app(4))])
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.control().settings(&json!({"memberDelayMs": {"min": 0, "max": 0}})).await?;
    for n in 1..=matrix::APPLICATIONS {
        let app = matrix::registered(n, &canary::secret("central"));
        ctx.control().entra(&json!({"op": "addApp", "app": app})).await?;
    }
    for (id, body) in matrix::ground() {
        ctx.control().put_resource(&id, &body).await?;
    }
    let done = all(ctx).await;
    let lent = ["s15b-x", "s15b-y"].map(|name| [name.to_owned(), format!("{name}{CENTRAL}")]);
    home::clear(ctx, &lent.iter().flatten().map(String::as_str).collect::<Vec<_>>()).await?;
    for namespace in NAMESPACES {
        let args = ["delete", "namespace", namespace.name, "--ignore-not-found", "--wait=false"];
        ctx.kubectl().run(&args, None).await?;
    }
    done
}

async fn apply(ctx: &Ctx, namespace: usize, objects: &[Value]) -> Result<()> {
    let args = ["-n", NAMESPACES[namespace].name, "apply", "-f", "-"];
    ctx.kubectl().run(&args, Some(&world::file(objects))).await.map(drop)
}

/// Credentials of a namespace, with what they need.
async fn own(ctx: &Ctx, namespace: usize, name: &str, application: usize) -> Result<()> {
    let mut all = vec![world::secret()];
    all.extend(world::role());
    all.extend(credentials("TenantCredential", name, application));
    apply(ctx, namespace, &all).await
}

/// Credentials of the cluster, lent like this.
fn lent(name: &str, application: usize, to: &Value) -> [Value; 2] {
    credentials("ClusterTenantCredential", name, application).map(|mut object| {
        object["spec"]["allowedNamespaces"] = to.clone();
        object
    })
}

async fn declare(ctx: &Ctx, namespace: usize) -> Result<()> {
    let objects = (0..REFERENCES.len()).flat_map(|reference| matrix::objects((namespace, reference)));
    apply(ctx, namespace, &objects.collect::<Vec<_>>()).await
}

async fn label(ctx: &Ctx, namespace: usize, label: &str) -> Result<()> {
    let args = ["label", "--overwrite", "namespace", NAMESPACES[namespace].name, label];
    ctx.kubectl().run(&args, None).await.map(drop)
}

async fn all(ctx: &Ctx) -> Result<()> {
    for (n, namespace) in NAMESPACES.iter().enumerate() {
        ctx.kubectl().run(&["create", "namespace", namespace.name], None).await?;
        label(ctx, n, namespace.label).await?;
    }
    let x = lent("s15b-x", 3, &json!({"selector": {"matchLabels": {"team": "a"}}}));
    let y = lent("s15b-y", 4, &json!({"names": ["s15b-two", "s15b-thre"]}));
    home::set_up(ctx, &[x, y].concat()).await?;
    own(ctx, 0, "x", 1).await?;
    own(ctx, 1, "x", 2).await?;
    let mark = ctx.mark().await?;
    for n in 0..NAMESPACES.len() {
        declare(ctx, n).await?;
    }
    holds(ctx, mark, &at_first()).await.context("at first")?;
    made(ctx, mark, &at_first()).await.context("at first")?;

    // The label moves from one namespace to another, and what was lent with it.
    label(ctx, 0, "team=z").await?;
    label(ctx, 2, "team=a").await?;
    let mut moved = at_first();
    moved.remove(&(0, 3));
    moved.insert((2, 3), app(3));
    let mark = settled(ctx, &moved).await?;
    touch(ctx, "labels").await?;
    holds(ctx, mark, &moved).await.context("after labels changed")?;

    // A namespace that is made again under its name has nothing of what the first one had, but what goes by the name.
    let again = NAMESPACES[1].name;
    ctx.kubectl().run(&["delete", "namespace", again], None).await?;
    ctx.kubectl().run(&["create", "namespace", again], None).await?;
    let mark = ctx.mark().await?;
    declare(ctx, 1).await?;
    moved.remove(&(1, 0));
    settled(ctx, &moved).await?;
    touch(ctx, "namespace").await?;
    holds(ctx, mark, &moved).await.context("after a namespace was made again")
}

const PLURALS: [&str; 2] = ["crosstenantconnections", "staticmembers"];

/// Asks every object to look again, and waits until each has had its pass, those that are refused too.
async fn touch(ctx: &Ctx, value: &str) -> Result<()> {
    for (n, namespace) in NAMESPACES.iter().enumerate() {
        let names = (0..REFERENCES.len()).map(|reference| name((n, reference)));
        let targets = names.flat_map(|name| PLURALS.map(|plural| format!("{plural}/{name}")));
        let mut args: Vec<String> =
            ["-n", namespace.name, "annotate", "--overwrite"].map(String::from).into();
        args.extend(targets);
        args.push(format!("reconcile.avnm.dev/requestedAt={value}"));
        ctx.kubectl().run(&args.iter().map(String::as_str).collect::<Vec<_>>(), None).await?;
    }
    for (key, plural) in matrix::keys().flat_map(|key| PLURALS.map(|plural| (key, plural))) {
        let path = look::path(NAMESPACES[key.0].name, plural, &name(key));
        let look = || async {
            let object = ctx.cluster().get(&path).await?;
            let handled = &object["status"]["lastHandledReconcileAt"];
            Ok(if handled == value { Look::Done(()) } else { Look::NotYet(look::describe(&object)) })
        };
        wait_until(SOON, look::POLL, look, &format!("{path} to look again")).await?;
    }
    Ok(())
}

/// What an object of this key says once it has settled.
fn wanted(plural: &str, key: Key, relation: &Relation) -> &'static [&'static str] {
    // A cluster's credential is there for all and lent to some; a namespaced one of elsewhere is not there.
    match (relation.contains_key(&key), plural, REFERENCES[key.1].0) {
        (true, "staticmembers", _) => &["Succeeded"],
        (true, ..) => &["PendingRemoteConnection", "Progressing"],
        (false, _, "ClusterTenantCredential") => &["NamespaceNotAllowed"],
        (false, ..) => &["DependencyNotReady"],
    }
}

/// Waits until each object says what the relation gives it, and gives the mark of that moment.
async fn settled(ctx: &Ctx, relation: &Relation) -> Result<u64> {
    for (key, plural) in matrix::keys().flat_map(|key| PLURALS.map(|plural| (key, plural))) {
        let path = look::path(NAMESPACES[key.0].name, plural, &name(key));
        let wanted = wanted(plural, key, relation);
        let look = || async {
            let object = ctx.cluster().get(&path).await?;
            let reason = look::condition(&object, "Ready").and_then(|ready| ready["reason"].as_str());
            Ok(if reason.is_some_and(|reason| wanted.contains(&reason)) {
                Look::Done(())
            } else {
                Look::NotYet(look::describe(&object))
            })
        };
        wait_until(SOON, look::POLL, look, &format!("{path} to say one of {wanted:?}")).await?;
    }
    ctx.mark().await
}

/// Every call since the mark was signed by whom the relation gives what it is about, and each of those signed in both
/// tenants.
async fn holds(ctx: &Ctx, mark: u64, relation: &Relation) -> Result<()> {
    settled(ctx, relation).await?;
    let signed = async || {
        let calls = ctx.calls(mark).await?;
        for call in &calls {
            matrix::signed_well(call, relation)?;
        }
        let missing = relation.values().flat_map(|app| [(app, CENTRAL_TENANT), (app, TARGET_TENANT)]);
        let signs = |app: &str, tenant: &str| {
            calls.iter().any(|call| call["principal"] == app && call["bearerTenant"] == tenant)
        };
        let missing: Vec<_> = missing.filter(|(app, tenant)| !signs(app, tenant)).collect();
        Ok::<_, anyhow::Error>(
            missing.first().map(|(app, tenant)| format!("{app} signed nothing in {tenant}")),
        )
    };
    // A sweep reads with each of them, sooner or later; a call that is signed wrongly ends the wait.
    let look = || async {
        Ok(match signed().await {
            Ok(Some(missing)) => Look::NotYet(missing),
            Ok(None) => Look::Done(Ok(())),
            Err(wrong) => Look::Done(Err(wrong)),
        })
    };
    wait_until(SOON, look::POLL, look, "everybody to sign what is theirs").await?
}

/// Both things of each key that the relation has were made, by its application; the members with the second token.
async fn made(ctx: &Ctx, mark: u64, relation: &Relation) -> Result<()> {
    let writes = ctx.writes(mark).await?;
    for (key, app) in relation {
        let end = format!("/{}", name(*key));
        let of = |call: &&Value| call["path"].as_str().is_some_and(|path| path.ends_with(&end));
        let of: Vec<&Value> = writes.iter().filter(of).collect();
        let second = of.iter().filter(|call| call["auxiliaryPrincipals"] == json!([app])).count();
        ensure!(of.len() == 2 && second == 1, "not one PUT of each: {of:#?}");
    }
    ensure!(writes.len() == 2 * relation.len(), "more was written than is in the relation: {writes:#?}");
    Ok(())
}
