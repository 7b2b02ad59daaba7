//! Only who has the lease writes to Azure.

use crate::api_server::ApiServer;

/// What is wrong with who writes to Azure, if anything is. A lease that nobody took over is still its last holder's, whoever
/// else may take it by now.
pub(crate) fn write(server: &ApiServer, agent: &str, method: &str, id: &str) -> Option<String> {
    let lease = server.get("leases.coordination.k8s.io", "avnm-system", "avnm-operator")?;
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
    (holder != agent).then(|| format!("S6: {method} {id} by {agent}, and {holder:?} has the lease"))
}
