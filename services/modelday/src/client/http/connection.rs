//! `--base-url`: the address of Modelday, for every command of the client.

use clap::Args;
use reqwest::Url;

const EXAMPLE: &str = "write it as http://host:port";

/// The address of Modelday.
#[derive(Args, Clone)]
pub(crate) struct Connection {
    /// Where Modelday listens.
    #[arg(long, env = "MODELDAY_URL", value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = http_url)]
    pub(crate) base_url: Url,
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|problem| format!("{problem}; {EXAMPLE}"))?;
    match url.scheme() {
        "http" | "https" if !url.cannot_be_a_base() => Ok(url),
        scheme => Err(format!("the scheme is {scheme}, not http or https; {EXAMPLE}")),
    }
}

#[cfg(test)]
mod tests {
    use super::http_url;

    #[test]
    fn an_address_is_an_http_url() {
        assert!(http_url("http://127.0.0.1:8080").is_ok());
        assert!(http_url("https://modelday.example/prefix/").is_ok());
        for wrong in ["127.0.0.1:8080", "localhost:8080", "ftp://host", "", "http://"] {
            assert!(http_url(wrong).unwrap_err().contains("http://host:port"), "{wrong:?}");
        }
    }
}
