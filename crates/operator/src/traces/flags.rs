//! Flags for where traces go. The variables are OpenTelemetry's own. What signs in to a collector is no flag: everybody on a
//! machine reads arguments.

use clap::Args;

/// Where traces go.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TraceFlags {
    /// A collector of OpenTelemetry, http://HOST:4318 or https: passes and their calls are sent to /v1/traces below it, over
    /// OTLP (http/protobuf). Without one, none are made.
    #[arg(long = "otlp-endpoint", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub(super) endpoint: Option<String>,
    /// The whole address that traces are sent to, instead of one below --otlp-endpoint.
    #[arg(long = "otlp-traces-endpoint", env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    pub(super) traces_endpoint: Option<String>,
    /// What the traces name as their service.
    #[arg(long = "otlp-service-name", env = "OTEL_SERVICE_NAME", default_value = "avnm-operator")]
    pub(super) service_name: String,
}

impl TraceFlags {
    /// The name of the service. A variable that is set and empty counts as not set.
    pub(super) fn service_name(&self) -> &str {
        match self.service_name.trim() {
            "" => "avnm-operator",
            name => name,
        }
    }
}
