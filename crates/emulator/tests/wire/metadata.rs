//! The documents by which other tools find their way.

use reqwest::Method;
use serde_json::Value;

use super::support::{CENTRAL, World};

async fn read(world: &World, path: &str) -> Value {
    world.send(Method::GET, &format!("{}{path}", world.emulator.url()), &[], None).await.ok()
}

#[tokio::test]
async fn a_cloud_tells_its_endpoints_in_the_form_of_each_version() {
    let world = World::instant().await;
    let origin = world.emulator.url();
    let oldest = read(&world, "/metadata/endpoints?api-version=2015-01-01").await;
    assert_eq!(oldest["authentication"]["loginEndpoint"], origin);
    let list = read(&world, "/metadata/endpoints?api-version=2019-05-01").await;
    assert_eq!(list[0]["resourceManager"], origin);
    let one = read(&world, "/metadata/endpoints?api-version=2022-09-01").await;
    assert_eq!(one["authentication"]["identityProvider"], "AAD");
    assert_eq!(one["resourceManager"], origin);
    let audiences = one["authentication"]["audiences"].as_array().unwrap();
    assert!(audiences.iter().any(|it| it == "https://management.azure.com"));
    let none = world.send(Method::GET, &format!("{origin}/metadata/endpoints"), &[], None).await;
    assert_eq!(none.error(), (400, "MissingApiVersionParameter".into()));
}

#[tokio::test]
async fn openid_documents_lead_to_the_token_endpoint() {
    let world = World::instant().await;
    let origin = world.emulator.url();
    let v2 = read(&world, &format!("/{CENTRAL}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(v2["token_endpoint"], format!("{origin}/{CENTRAL}/oauth2/v2.0/token"));
    let common = read(&world, "/common/v2.0/.well-known/openid-configuration").await;
    assert_eq!(common["token_endpoint"], format!("{origin}/common/oauth2/v2.0/token"));
    let instances = read(&world, "/common/discovery/instance?api-version=1.1&authorization_endpoint=x").await;
    assert_eq!(instances["metadata"][0]["preferred_network"], origin.trim_start_matches("https://"));
    let unknown =
        format!("{origin}/00000000-1111-2222-3333-444444444444/v2.0/.well-known/openid-configuration");
    assert_eq!(world.send(Method::GET, &unknown, &[], None).await.status, 400);
}
