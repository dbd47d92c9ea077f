//! Decides from the `OTEL_*` variables whether traces are exported. The exporter reads the other variables itself.

use anyhow::bail;
use domain::agent::EndpointUrl;
use domain::agent::endpoint::EndpointUrlError;

/// The only supported protocol.
const GRPC: &str = "grpc";

/// Whether a collector is configured and the export is not switched off.
///
/// # Errors
/// When another protocol is configured: otherwise traces would be lost without a notice.
pub(super) fn is_enabled(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<bool> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty());
    let named = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let off = value("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || value("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    if off || !named.iter().any(|name| value(name).is_some()) {
        return Ok(false);
    }
    for (name, url) in named.iter().filter_map(|name| Some((name, value(name)?))) {
        if url.parse::<EndpointUrl>() == Err(EndpointUrlError::Credentials) {
            bail!(
                "{name} contains a user or a password; write it without them, and use OTEL_EXPORTER_OTLP_HEADERS"
            );
        }
    }
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match value(name) {
            Some(protocol) if protocol != GRPC => bail!(
                "{name} is {protocol:?}, but traces leave over {GRPC:?} only; name the collector's port for it, \
                 usually 4317, in OTEL_EXPORTER_OTLP_ENDPOINT"
            ),
            Some(_) => break,
            None => {}
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enabled_with(variables: &[(&str, &str)]) -> Result<bool, String> {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
        is_enabled(value).map_err(|problem| problem.to_string())
    }

    #[test]
    fn traces_are_exported_only_to_a_configured_collector() {
        assert_eq!(enabled_with(&[]), Ok(false));
        assert_eq!(enabled_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Ok(false));
        assert_eq!(enabled_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")]), Ok(true));
        assert_eq!(enabled_with(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4317")]), Ok(true));
    }

    #[test]
    fn the_standard_variables_switch_the_export_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");

        assert_eq!(enabled_with(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), Ok(false));
        assert_eq!(enabled_with(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), Ok(false));
        assert_eq!(enabled_with(&[endpoint, ("OTEL_TRACES_EXPORTER", "otlp")]), Ok(true));
    }

    #[test]
    fn a_password_in_the_collectors_address_is_refused_and_not_printed() {
        let refused = enabled_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hush@c:4317")]).unwrap_err();

        assert!(
            refused.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT contains a user or a password"),
            "{refused}"
        );
        assert!(!refused.contains("hush"), "{refused}");
    }

    #[test]
    fn an_unsupported_protocol_is_an_error_that_names_its_setting() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let http = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");

        let refused = enabled_with(&[endpoint, http]).unwrap_err();

        assert!(refused.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL is \"http/protobuf\""), "{refused}");
        assert_eq!(enabled_with(&[endpoint, http, ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")]), Ok(true));
        assert_eq!(enabled_with(&[http]), Ok(false));
    }
}
