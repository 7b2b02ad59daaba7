//! 09: the operator is killed between any two of its calls to Azure, while making and while deleting: after a restart
//! the same end state, nothing twice, nothing left behind.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, Operator, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world::{self, SOON};

/// Neither making nor deleting takes as many calls, so the last round shows that each call was reached.
const MORE_THAN_ALL: u64 = 40;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let fast = json!({"memberDelayMs": {"min": 0, "max": 0}, "pairingDelayMs": {"min": 0, "max": 0}});
    ctx.control().settings(&fast).await?;
    let options = ctx.operator_options().arg("--put-quiet=1s").arg("--gone-interval=300ms");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.apply_all(&world::credentials()).await?;
    for name in ["central", "target"] {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    let (mut making, mut deleting) = (Some(1), Some(1));
    while making.is_some() || deleting.is_some() {
        let at = making.or(deleting).unwrap_or_default();
        ensure!(at < MORE_THAN_ALL, "more than {MORE_THAN_ALL} calls for one connection and one member");
        let hit =
            make(ctx, &operator, making).await.with_context(|| format!("making, killed at {making:?}"))?;
        making = making.filter(|_| hit).map(|nth| nth + 1);
        let hit = delete(ctx, &operator, deleting).await;
        let hit = hit.with_context(|| format!("deleting, killed at {deleting:?}"))?;
        deleting = deleting.filter(|_| hit).map(|nth| nth + 1);
    }
    Ok(())
}

fn ids() -> [String; 3] {
    [world::member_id(), world::scope_connection(), world::manager_connection()]
}

/// Applies a connection and a member; the operator dies in its nth call. Says whether it came to that.
async fn make(ctx: &Ctx, operator: &Operator, nth: Option<u64>) -> Result<bool> {
    let mark = ctx.mark().await?;
    let arm = Armed::new(ctx, nth).await?;
    ctx.apply_all(&[world::connection(&json!({})), world::member(&json!({}))]).await?;
    let hit = arm
        .kill(operator, || async {
            let member = ctx.object("staticmembers", "vnet01").await?;
            Ok(crate::look::condition(&member, "Ready").is_some_and(|ready| ready["status"] == "True"))
        })
        .await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let writes = ctx.writes(mark).await?;
    for id in ids() {
        ensure!(ctx.azure(&id).await?.is_some(), "{id} is not there");
        let done = |call: &&Value| {
            call["path"].as_str().is_some_and(|path| path.eq_ignore_ascii_case(&id)) && call["status"] == 200
        };
        let puts = writes.iter().filter(done).count();
        ensure!(puts == 1, "{puts} PUTs of {id} took effect: {writes:#?}");
    }
    ensure!(writes.iter().all(|call| call["method"] == "PUT"), "making deleted something: {writes:#?}");
    Ok(hit)
}

/// Deletes both; the operator dies in its nth call. Says whether it came to that.
async fn delete(ctx: &Ctx, operator: &Operator, nth: Option<u64>) -> Result<bool> {
    let mark = ctx.mark().await?;
    let arm = Armed::new(ctx, nth).await?;
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link", "staticmembers/vnet01"])
        .await?;
    let hit = arm
        .kill(operator, || async {
            let gone = ctx.object("crosstenantconnections", "link").await;
            Ok(gone.is_err_and(|error| crate::look::is_not_found(&error)))
        })
        .await?;
    ctx.wait_gone("staticmembers", "vnet01", SOON).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    let writes = ctx.writes(mark).await?;
    ensure!(writes.iter().all(|call| call["method"] == "DELETE"), "deleting made something: {writes:#?}");
    for id in ids() {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    Ok(hit)
}

/// A call in which the operator will die. Azure takes it in and does nothing for so long that it never happens.
struct Armed<'a>(&'a Ctx, bool);

impl<'a> Armed<'a> {
    async fn new(ctx: &'a Ctx, nth: Option<u64>) -> Result<Self> {
        if let Some(nth) = nth {
            let hold = json!({"match": {"kind": "arm", "nth": nth}, "action": {"delayMs": 60000}});
            ctx.control().add_fault(&hold).await?;
        }
        Ok(Self(ctx, nth.is_some()))
    }

    /// Kills the operator in that call and starts it again; `done` says that there were fewer calls.
    async fn kill<F: Future<Output = Result<bool>>>(
        self,
        operator: &Operator,
        done: impl Fn() -> F,
    ) -> Result<bool> {
        let Self(ctx, armed) = self;
        if !armed {
            return Ok(false);
        }
        let look = || async {
            let faults = ctx.control().faults().await?;
            if faults[0]["applied"] == 1 {
                return Ok(Look::Done(true));
            }
            Ok(if done().await? { Look::Done(false) } else { Look::NotYet(faults.to_string()) })
        };
        let hit = wait_until(SOON, Duration::from_millis(10), look, "the call to kill in").await?;
        if hit {
            operator.kill();
        }
        ctx.control().clear_faults(None).await?;
        if hit {
            operator.restart().await?;
        }
        Ok(hit)
    }
}
