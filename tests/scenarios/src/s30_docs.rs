//! 30: what the documentation tells people to apply, the API server takes: every block of YAML of every page and every
//! example, as a dry run on the server, with unknown fields refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use avnm_launcher::run::workspace_dir;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::docs::{self, Block, Mark};

/// Groups of tools that are not on this server, and whose objects the pages show all the same.
const ELSEWHERE: &[&str] = &[
    "kustomize.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io",
    "helm.toolkit.fluxcd.io",
    "argoproj.io",
    "monitoring.coreos.com",
];
/// A reader that finds nothing would pass as well.
const AT_LEAST: usize = 20;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    ctx.cluster().install().await?;
    let blocks = docs::all()?;
    let namespaces = namespaces(ctx, &blocks).await?;
    let mut wrong = Vec::new();
    let mut applied = 0;
    for (number, block) in blocks.iter().enumerate() {
        let result = match block.mark {
            Mark::Objects => objects(ctx, block).await,
            Mark::Kustomize => kustomization(ctx, block, number).await,
            Mark::Fragment => fragment(block),
            Mark::Folder => built(ctx, &block.text).await,
        };
        applied += usize::from(block.mark != Mark::Fragment);
        if let Err(error) = result {
            wrong.push(format!("{}: {error:#}", block.place));
        }
    }
    for namespace in &namespaces {
        ctx.kubectl().run(&["delete", "namespace", namespace, "--wait=false"], None).await?;
    }
    ensure!(wrong.is_empty(), "{} of {} blocks:\n{}", wrong.len(), blocks.len(), wrong.join("\n"));
    ensure!(applied >= AT_LEAST, "only {applied} blocks of YAML were found");
    println!("   {applied} blocks applied, {} fragments", blocks.len() - applied);
    Ok(())
}

/// A dry run, too, needs the namespaces to be there. Gives those that were not.
async fn namespaces(ctx: &Ctx, blocks: &[Block]) -> Result<BTreeSet<String>> {
    let mut named = BTreeSet::new();
    for block in blocks.iter().filter(|block| block.mark == Mark::Objects) {
        let documents = block.documents()?;
        named.extend(documents.iter().filter_map(|d| d["metadata"]["namespace"].as_str().map(str::to_owned)));
    }
    let mut made = BTreeSet::new();
    for namespace in named {
        let there = ctx.kubectl().output(&["get", "namespace", &namespace], None).await?;
        if !there.status.success() {
            ctx.kubectl().run(&["create", "namespace", &namespace], None).await?;
            made.insert(namespace);
        }
    }
    Ok(made)
}

async fn objects(ctx: &Ctx, block: &Block) -> Result<()> {
    let documents = block.documents()?;
    let group = |document: &Value| {
        let version = document["apiVersion"].as_str().unwrap_or_default();
        version.split_once('/').map_or(String::new(), |(group, _)| group.to_owned())
    };
    let elsewhere: Vec<bool> =
        documents.iter().map(|document| ELSEWHERE.contains(&group(document).as_str())).collect();
    if !elsewhere.contains(&true) {
        return dry_run(ctx, &block.text).await;
    }
    ensure!(
        !elsewhere.contains(&false),
        "our objects and those of another tool stand in one block: take them apart"
    );
    let Err(said) = dry_run(ctx, &block.text).await else { return Ok(()) };
    ensure!(format!("{said:#}").contains("no matches for kind"), "{said:#}");
    Ok(())
}

async fn dry_run(ctx: &Ctx, yaml: &str) -> Result<()> {
    let args = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"];
    ctx.kubectl().run(&[&args[..], &["-f", "-"]].concat(), Some(yaml)).await?;
    Ok(())
}

/// Builds it over deploy/ with kubectl's own kustomize, and has the server take what comes out.
async fn kustomization(ctx: &Ctx, block: &Block, number: usize) -> Result<()> {
    let folder = ctx.dir().join(format!("kustomize{number}"));
    copy_deploy(&folder.join("deploy"))?;
    for (name, text) in block.files() {
        let mut text = text.to_owned();
        if name == "kustomization.yaml" {
            let mut kustomization: Value = serde_saphyr::from_str(&text).context("read the kustomization")?;
            // Its own way to deploy/ is one on the reader's disk.
            kustomization["resources"] = json!(["deploy"]);
            let generators = kustomization["configMapGenerator"].as_array().into_iter().flatten();
            for file in generators.filter_map(|generator| generator["files"].as_array()).flatten() {
                fs::write(folder.join(file.as_str().unwrap_or_default()), "text").context("write a file")?;
            }
            text = kustomization.to_string();
        }
        fs::write(folder.join(&name), text).with_context(|| format!("write {name}"))?;
    }
    built(ctx, &folder.display().to_string()).await
}

async fn built(ctx: &Ctx, folder: &str) -> Result<()> {
    let objects = ctx.kubectl().run(&["kustomize", folder], None).await?;
    dry_run(ctx, &objects).await
}

fn copy_deploy(to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    let deploy = workspace_dir().join("deploy");
    for entry in fs::read_dir(&deploy).context("list deploy/")? {
        let file = entry.context("list deploy/")?.path();
        if let Some(name) = file.file_name().filter(|_| file.is_file()) {
            fs::copy(&file, to.join(name)).with_context(|| format!("copy {}", file.display()))?;
        }
    }
    Ok(())
}

/// A mark that is not needed would keep whole objects from being tried.
fn fragment(block: &Block) -> Result<()> {
    for document in block.documents()? {
        if document.get("apiVersion").is_some() {
            bail!("it is marked as a fragment, and has an apiVersion: take the mark off, or the apiVersion");
        }
    }
    Ok(())
}
