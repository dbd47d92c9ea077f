//! `--base-url`: the address of Modelday, for every command of the client.

use clap::Args;
use domain::agent::EndpointUrl;
use domain::agent::endpoint::EndpointUrlError;
use reqwest::Url;

use super::error::ApiError;

const DEFAULT: &str = "http://127.0.0.1:8080";

/// The address of Modelday.
#[derive(Args, Clone)]
pub(crate) struct Connection {
    /// Where Modelday listens.
    // Not parsed here, and not shown by --help: it may contain a password by mistake.
    #[arg(
        long,
        env = "MODELDAY_URL",
        value_name = "URL",
        default_value = DEFAULT,
        hide_env_values = true
    )]
    base_url: String,
}

impl Connection {
    /// The address without options: that of `MODELDAY_URL`.
    pub(crate) fn of_environment() -> Self {
        Self { base_url: std::env::var("MODELDAY_URL").unwrap_or_else(|_| DEFAULT.to_owned()) }
    }

    /// The address.
    ///
    /// # Errors
    /// When it is no http address, or contains a user or a password.
    pub(super) fn url(&self) -> Result<Url, ApiError> {
        let text = self.base_url.trim();
        text.parse::<EndpointUrl>().map_err(ApiError::Address)?;
        Url::parse(text).map_err(|_| ApiError::Address(EndpointUrlError::NotWeb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<Url, String> {
        Connection { base_url: text.to_owned() }.url().map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_address_is_an_http_url_without_a_password() {
        assert!(url("http://127.0.0.1:8080").is_ok());
        assert!(url("https://modelday.example/prefix/").is_ok());
        for wrong in
            ["127.0.0.1:8080", "localhost:8080", "ftp://host", "", "http://", "https://me:secret@host"]
        {
            let problem = url(wrong).unwrap_err();
            assert!(problem.ends_with("write it as http://host:port"), "{wrong:?}: {problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
