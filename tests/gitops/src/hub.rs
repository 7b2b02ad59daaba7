//! The objects of docs/examples/quickstart, and what is changed in them.

use std::fs;

use anyhow::{Context as _, Result};
use avnm_launcher::run;
use serde_json::{Value, json};

/// The namespace of all of them.
pub(crate) const NAMESPACE: &str = "network-hub";
/// The connection's name.
pub(crate) const LINK: &str = "fabrikam-prod";
/// The member's name.
pub(crate) const MEMBER: &str = "targetvnet01";

/// The objects of one file of the quickstart.
fn example(file: &str) -> Result<Vec<Value>> {
    let path = run::workspace_dir().join("docs/examples/quickstart").join(file);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_multiple(&text).with_context(|| format!("parse {}", path.display()))
}

/// The namespace, the Secret with its Role, and both credentials.
pub(crate) fn credentials() -> Result<Vec<Value>> {
    let mut all = example("00-namespace.yaml")?;
    all.extend(example("10-secret.yaml")?);
    all.extend(example("20-credentials.yaml")?);
    Ok(all)
}

/// The connection with both halves.
pub(crate) fn connection() -> Result<Value> {
    example("30-connection.yaml")?.pop().context("find the connection of the quickstart")
}

/// The connection with the manager's half alone: the other one is another party's.
pub(crate) fn one_sided() -> Result<Value> {
    let mut connection = connection()?;
    let spec = connection["spec"].as_object_mut().context("read the connection's spec")?;
    spec.remove("networkManagerConnection");
    Ok(connection)
}

/// The member.
pub(crate) fn member() -> Result<Value> {
    example("40-member.yaml")?.pop().context("find the member of the quickstart")
}

/// The member of a one-sided connection, which lends no credential of the network's tenant.
pub(crate) fn one_sided_member() -> Result<Value> {
    let credential = json!({"kind": "TenantCredential", "name": "fabrikam"});
    Ok(with(member()?, "resourceCredentialRef", &credential))
}

/// The same object with an annotation.
pub(crate) fn annotated(mut object: Value, key: &str, value: &str) -> Value {
    object["metadata"]["annotations"][key] = json!(value);
    object
}

/// The same object with a field of its spec.
pub(crate) fn with(mut object: Value, field: &str, value: &Value) -> Value {
    object["spec"][field] = value.clone();
    object
}

/// The same object under another name.
pub(crate) fn renamed(mut object: Value, name: &str) -> Value {
    object["metadata"]["name"] = json!(name);
    object
}

/// The connection with two digits of its scope the other way round: the scope is immutable.
pub(crate) fn with_a_typo(mut connection: Value) -> Value {
    let scope = connection["spec"]["target"]["scope"].as_str().unwrap_or_default().replace("8765", "8756");
    connection["spec"]["target"]["scope"] = json!(scope);
    connection
}

/// The id in Azure of the connection's half on the network manager.
pub(crate) fn scope_connection() -> Result<String> {
    let connection = connection()?;
    let field = |path: &str| connection.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (manager, name) = (field("/spec/networkManagerId"), field("/spec/scopeConnection/name"));
    Ok(format!("{manager}/scopeConnections/{name}"))
}

/// The id in Azure of the connection's half on the target.
pub(crate) fn manager_connection() -> Result<String> {
    let connection = connection()?;
    let field = |path: &str| connection.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (scope, name) = (field("/spec/target/scope"), field("/spec/networkManagerConnection/name"));
    Ok(format!("{scope}/providers/Microsoft.Network/networkManagerConnections/{name}"))
}

/// The id in Azure of the member.
pub(crate) fn member_id() -> Result<String> {
    let member = member()?;
    let field = |path: &str| member.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(format!("{}/staticMembers/{}", field("/spec/networkGroupId"), field("/spec/memberName")))
}
