//! How traces leave the process, by the `OTEL_*` variables. The exporter itself reads those that are not named here.

use std::io;
use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::agent::endpoint::EndpointUrlError;
use domain::agent::{AddressRules, EndpointUrl};
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{
    Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _, WithTonicConfig as _,
};

use super::collector_client::CollectorClient;
use crate::outbound::Outbound;

/// The variables that name the collector, the most specific first.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const CERTIFICATES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
/// How long one request to the collector may take, whatever its own timeout is.
const MAX_REQUEST_TIME: Duration = Duration::from_secs(60);

/// How traces leave the process.
#[derive(Debug)]
pub(super) struct Export {
    protocol: Protocol,
    is_https: bool,
    /// PEM with the authorities to trust in place of the system's.
    authorities: Option<Vec<u8>>,
}

impl Export {
    /// Reads the variables; `None` when no collector is configured, or the export is switched off.
    ///
    /// # Errors
    /// When a variable cannot be used: otherwise traces would be lost without a notice.
    pub(super) fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        read: impl Fn(&str) -> io::Result<Vec<u8>>,
    ) -> anyhow::Result<Option<Self>> {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, value(name)?)));
        let off = value("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || value("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        let Some((_, endpoint)) = first(ENDPOINTS).filter(|_| !off) else { return Ok(None) };
        for (name, url) in ENDPOINTS.iter().filter_map(|name| Some((name, value(name)?))) {
            if url.parse::<EndpointUrl>() == Err(EndpointUrlError::Credentials) {
                bail!(
                    "{name} contains a user or a password; write it without them, and use OTEL_EXPORTER_OTLP_HEADERS"
                );
            }
        }
        let protocol = match first(PROTOCOLS) {
            None => Protocol::Grpc,
            Some((name, text)) => match text.as_str() {
                "grpc" => Protocol::Grpc,
                "http/protobuf" => Protocol::HttpBinary,
                other => bail!("{name} is {other:?}; write grpc or http/protobuf"),
            },
        };
        let authorities = match first(CERTIFICATES) {
            None => None,
            Some((name, path)) => {
                Some(read(&path).with_context(|| format!("reading {path}, which {name} names"))?)
            }
        };
        Ok(Some(Self { protocol, is_https: endpoint.starts_with("https://"), authorities }))
    }

    /// An exporter. It connects when there is something to send.
    ///
    /// # Errors
    /// When the address of the collector, a header or the authorities cannot be used.
    pub(super) fn exporter(&self) -> anyhow::Result<SpanExporter> {
        let builder = SpanExporter::builder();
        if self.protocol == Protocol::Grpc {
            let builder = builder.with_tonic();
            let builder = if self.is_https { builder.with_tls_config(self.grpc_tls()) } else { builder };
            return Ok(builder.build()?);
        }
        let client = CollectorClient::new(self.http_client()?);
        Ok(builder.with_http().with_protocol(self.protocol).with_http_client(client).build()?)
    }

    fn grpc_tls(&self) -> ClientTlsConfig {
        match &self.authorities {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_native_roots(),
        }
    }

    fn http_client(&self) -> anyhow::Result<reqwest::Client> {
        let client = Outbound::new(AddressRules::of_operator(), None).client()?.timeout(MAX_REQUEST_TIME);
        let client = match &self.authorities {
            Some(pem) => client.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem)?),
            None => client,
        };
        Ok(client.build()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export_with(variables: &[(&str, &str)]) -> Result<Option<Protocol>, String> {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
        let missing = |_: &str| Err(io::ErrorKind::NotFound.into());
        let export = Export::from_variables(value, missing);
        export.map(|export| export.map(|export| export.protocol)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn traces_are_exported_only_to_a_configured_collector() {
        let grpc = Ok(Some(Protocol::Grpc));

        assert_eq!(export_with(&[]), Ok(None));
        assert_eq!(export_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Ok(None));
        assert_eq!(export_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")]), grpc);
        assert_eq!(export_with(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c:4317")]), grpc);
    }

    #[test]
    fn the_standard_variables_switch_the_export_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");

        assert_eq!(export_with(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        assert_eq!(export_with(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert_eq!(export_with(&[endpoint, ("OTEL_TRACES_EXPORTER", "otlp")]), Ok(Some(Protocol::Grpc)));
    }

    #[test]
    fn a_password_in_the_collectors_address_is_refused_and_not_printed() {
        let refused = export_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hush@c:4317")]).unwrap_err();

        assert!(
            refused.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT contains a user or a password"),
            "{refused}"
        );
        assert!(!refused.contains("hush"), "{refused}");
    }

    #[test]
    fn the_protocol_of_traces_counts_before_the_one_of_all_signals() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        let json = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
        let grpc = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc");

        assert_eq!(export_with(&[endpoint, http]), Ok(Some(Protocol::HttpBinary)));
        assert_eq!(export_with(&[endpoint, http, grpc]), Ok(Some(Protocol::Grpc)));
        let refused = export_with(&[endpoint, json]).unwrap_err();
        assert!(refused.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL is \"http/json\""), "{refused}");
    }

    #[test]
    fn authorities_that_cannot_be_read_are_named_with_their_variable() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4317");
        let refused = export_with(&[endpoint, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem")]).unwrap_err();

        assert_eq!(refused, "reading /ca.pem, which OTEL_EXPORTER_OTLP_CERTIFICATE names");
    }
}
