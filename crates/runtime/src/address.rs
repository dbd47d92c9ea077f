//! The address of the HTTP API: where it listens, how many connections it holds, and who may call it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::access::Access;
use crate::http::TlsFiles;
use crate::settings::Settings;

/// Address of the HTTP API, and who may call it.
#[derive(Debug, Clone)]
pub struct Address {
    /// `LISTEN`.
    pub listen: SocketAddr,
    /// `TLS_CERT_FILE` and `TLS_KEY_FILE`; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// `MAX_CONNECTIONS`: how many connections may be open.
    pub max_connections: NonZeroUsize,
    /// Who may call it.
    pub access: Access,
}

impl Address {
    /// A port that only this machine reaches, without tokens.
    pub fn loopback(port: u16) -> Self {
        Self::from_settings(&mut Settings::default(), port)
    }

    /// Reads the settings. Mistakes are noted in `settings`.
    pub fn from_settings(settings: &mut Settings, port: u16) -> Self {
        let default = SocketAddr::from(([127, 0, 0, 1], port));
        let listen: SocketAddr =
            settings.parsed("LISTEN", default, "write address:port, e.g. 127.0.0.1:8080");
        let trusted = settings.flag("LISTEN_TRUSTED_NETWORK", false);
        let plain = settings.flag("ALLOW_PLAIN_HTTP", false);
        let tls = tls(settings);
        let thousand = NonZeroUsize::MIN.saturating_add(999);
        let max_connections = settings.parsed("MAX_CONNECTIONS", thousand, "write a whole number from 1");
        let access = Access::from_settings(settings);
        let is_loopback = listen.ip().is_loopback();
        if !is_loopback && !trusted && !access.tokens.are_required() {
            settings.invalid(
                "LISTEN",
                format!("{listen} is open to others and no API token is configured"),
                "listen on 127.0.0.1, set API_TOKENS or API_TOKENS_FILE, or set LISTEN_TRUSTED_NETWORK=true behind a gateway that \
                 authenticates",
            );
        }
        if !is_loopback && !trusted && !plain && tls.is_none() {
            settings.invalid(
                "LISTEN",
                format!("{listen} is open to others, who could read tokens and results on their way"),
                "set TLS_CERT_FILE and TLS_KEY_FILE; or set ALLOW_PLAIN_HTTP=true behind a gateway that encrypts",
            );
        }
        Self { listen, tls, max_connections, access }
    }
}

fn tls(settings: &mut Settings) -> Option<TlsFiles> {
    let [certificate, key] = ["TLS_CERT_FILE", "TLS_KEY_FILE"].map(|name| settings.text(name));
    match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let files = TlsFiles { certificate: PathBuf::from(certificate), key: PathBuf::from(key) };
            if let Err(problem) = files.check() {
                let fix = "name PEM files with a certificate, those of its authorities after it, and its key";
                settings.invalid("TLS_CERT_FILE", problem.to_string(), fix);
            }
            Some(files)
        }
        (Some(_), None) | (None, Some(_)) => {
            let problem = "one of the two is set".to_owned();
            settings.invalid("TLS_CERT_FILE", problem, "set both TLS_CERT_FILE and TLS_KEY_FILE, or none");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(environment: &[(&str, &str)]) -> String {
        let environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut settings = Settings::new(environment, None);
        Address::from_settings(&mut settings, 8080);
        settings.finish(Some(())).err().map(|mistakes| mistakes.to_string()).unwrap_or_default()
    }

    #[test]
    fn beyond_loopback_plain_http_has_to_be_intended() {
        let digest = "0".repeat(64);
        let token = format!("ci:read:{digest}");
        let open = [("LISTEN", "0.0.0.0:8080"), ("API_TOKENS", token.as_str())];

        let text = mistakes(&open);

        assert!(text.contains("1 setting(s)"), "{text}");
        assert!(text.contains("set TLS_CERT_FILE and TLS_KEY_FILE"), "{text}");
        assert_eq!(mistakes(&[&open[..], &[("ALLOW_PLAIN_HTTP", "true")]].concat()), "");
        assert_eq!(mistakes(&[open[0], ("LISTEN_TRUSTED_NETWORK", "true")]), "");
        assert_eq!(mistakes(&[("LISTEN", "[::1]:8080")]), "");
    }

    #[test]
    fn beyond_loopback_somebody_has_to_authenticate() {
        let text = mistakes(&[("LISTEN", "0.0.0.0:8080"), ("ALLOW_PLAIN_HTTP", "true")]);

        assert!(text.contains("no API token is configured"), "{text}");
    }

    #[test]
    fn a_certificate_needs_its_key_and_both_have_to_be_readable() {
        let half = mistakes(&[("TLS_KEY_FILE", "/nowhere/key.pem")]);
        let missing = mistakes(&[("TLS_CERT_FILE", "/nowhere/a.pem"), ("TLS_KEY_FILE", "/nowhere/b.pem")]);

        assert!(half.contains("set both TLS_CERT_FILE and TLS_KEY_FILE"), "{half}");
        assert!(missing.contains("/nowhere/a.pem: "), "{missing}");
    }
}
