//! The world's ids, and a client that says no more than what a test tells it to.

use avnm_emulator::{Emulator, Options};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
pub(crate) const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
pub(crate) const SECRET: &str = "emulator-secret-central";
pub(crate) const OTHER_APP: &str = "b0b0b0b0-1111-2222-3333-444444444444";
pub(crate) const OTHER_SECRET: &str = "emulator-secret-other";
pub(crate) const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
pub(crate) const CENTRAL_SUBSCRIPTION: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab";
pub(crate) const TARGET_SUBSCRIPTION: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
pub(crate) const TARGET_NETWORK: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/targetVnet01";
pub(crate) const SHARED_GROUP: &str = "/providers/Microsoft.Management/managementGroups/mg-shared";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Status, OAuth's word and the AADSTS number.
    pub(crate) fn refusal(&self) -> (u16, String, u64) {
        let body = self.json();
        let text = body["error"].as_str().unwrap_or_default().to_owned();
        (self.status, text, body["error_codes"][0].as_u64().unwrap_or_default())
    }

    /// Status and ARM's error code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The JSON, after a check of the status.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }
}

/// An emulator with a client that trusts it.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
}

impl World {
    pub(crate) async fn start(options: Options) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { emulator, http }
    }

    /// One in which nothing takes time.
    pub(crate) async fn instant() -> Self {
        Self::start(Options::instant()).await
    }

    /// A token request and its answer.
    pub(crate) async fn sign_in(&self, tenant: &str, fields: &[(&str, &str)]) -> Answer {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.emulator.authority());
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        read(request.body(form.finish()).send().await.unwrap()).await
    }

    pub(crate) async fn token_of(&self, client_id: &str, secret: &str, tenant: &str) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", secret),
            ("scope", "https://management.azure.com/.default"),
        ];
        let answer = self.sign_in(tenant, &fields).await.ok();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// A token request with an assertion.
    pub(crate) async fn assert_in(&self, tenant: &str, client_id: &str, assertion: &str) -> Answer {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
            ("scope", "https://management.azure.com/.default"),
        ];
        self.sign_in(tenant, &fields).await
    }

    pub(crate) async fn token(&self, tenant: &str) -> String {
        self.token_of(APP, SECRET, tenant).await
    }

    /// A caller in one tenant.
    pub(crate) async fn caller(&self, tenant: &str) -> Caller<'_> {
        Caller { world: self, bearer: self.token(tenant).await, auxiliary: None }
    }

    /// Any request with any headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        read(self.try_send(method, url, headers, body).await.unwrap()).await
    }

    pub(crate) async fn try_send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    pub(crate) fn fault(&self, fault: Value) -> u64 {
        self.emulator.control().add_fault(serde_json::from_value(fault).unwrap())
    }

    pub(crate) fn set(&self, patch: &Value) {
        self.emulator.control().change_settings(patch).unwrap();
    }

    pub(crate) fn edit(&self, edit: Value) {
        self.emulator.control().entra(serde_json::from_value(edit).unwrap()).unwrap();
    }

    pub(crate) fn state_of(&self, id: &str) -> String {
        let shown = self.emulator.control().get(id, Some(TARGET)).unwrap().expect(id);
        shown["properties"]["connectionState"].as_str().unwrap().to_owned()
    }

    pub(crate) fn cross_tenant_scopes(&self) -> Value {
        let shown = self.emulator.control().get(MANAGER, None).unwrap().unwrap();
        shown["properties"]["networkManagerScopes"]["crossTenantScopes"].clone()
    }
}

/// Someone with a token.
#[derive(Clone)]
pub(crate) struct Caller<'a> {
    pub(crate) world: &'a World,
    pub(crate) bearer: String,
    pub(crate) auxiliary: Option<String>,
}

impl Caller<'_> {
    /// The same with these auxiliary tokens.
    pub(crate) fn with(mut self, tokens: &[&str]) -> Self {
        let all: Vec<String> = tokens.iter().map(|token| format!("Bearer {token}")).collect();
        self.auxiliary = Some(all.join(", "));
        self
    }

    pub(crate) async fn call(&self, method: Method, id: &str, body: Option<&Value>) -> Answer {
        let sign = if id.contains('?') { '&' } else { '?' };
        let base = if id.starts_with("https://") { "" } else { self.world.emulator.url() };
        let url = if id.contains("api-version=") {
            format!("{base}{id}")
        } else {
            format!("{base}{id}{sign}api-version=2024-05-01")
        };
        let bearer = format!("Bearer {}", self.bearer);
        let mut headers = vec![("authorization", bearer.as_str())];
        if let Some(auxiliary) = &self.auxiliary {
            headers.push(("x-ms-authorization-auxiliary", auxiliary));
        }
        self.world.send(method, &url, &headers, body).await
    }

    pub(crate) async fn get(&self, id: &str) -> Answer {
        self.call(Method::GET, id, None).await
    }

    pub(crate) async fn delete(&self, id: &str) -> Answer {
        self.call(Method::DELETE, id, None).await
    }

    pub(crate) async fn put(&self, id: &str, properties: Value) -> Answer {
        self.call(Method::PUT, id, Some(&json!({"properties": properties}))).await
    }
}

async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

pub(crate) fn scope_connection(name: &str) -> String {
    format!("{MANAGER}/scopeConnections/{name}")
}

pub(crate) fn connection_of(scope: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Network/networkManagerConnections/{name}")
}

pub(crate) fn group(name: &str) -> String {
    format!("{MANAGER}/networkGroups/{name}")
}

pub(crate) fn member(name: &str) -> String {
    format!("{MANAGER}/networkGroups/containsCrossTenantResources/staticMembers/{name}")
}

/// The names of a JSON text's fields in the order in which they were sent.
pub(crate) fn field_order(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\":") {
        let start = rest[..at].rfind('"').unwrap();
        names.push(rest[start + 1..at].to_owned());
        rest = &rest[at + 2..];
    }
    names
}
