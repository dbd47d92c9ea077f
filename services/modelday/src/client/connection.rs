//! Where Modelday is, as every command of the client asks for it.

use clap::Args;
use reqwest::Url;

/// Where Modelday is.
#[derive(Args, Clone)]
pub(crate) struct Connection {
    /// Where Modelday listens.
    #[arg(long, env = "MODELDAY_URL", value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = address)]
    pub(crate) base_url: Url,
}

/// How an answer is shown.
#[derive(Args, Clone, Copy)]
pub(crate) struct Format {
    /// Print JSON for scripts instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|problem| format!("{problem}; {EXAMPLE}"))?;
    match url.scheme() {
        "http" | "https" if !url.cannot_be_a_base() => Ok(url),
        scheme => Err(format!("{scheme}: is no scheme of the web; {EXAMPLE}")),
    }
}

const EXAMPLE: &str = "write it as http://host:port";

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_one_of_the_web() {
        assert!(address("http://127.0.0.1:8080").is_ok());
        assert!(address("https://modelday.example/prefix/").is_ok());
        for wrong in ["127.0.0.1:8080", "localhost:8080", "ftp://host", "", "http://"] {
            assert!(address(wrong).unwrap_err().contains("http://host:port"), "{wrong:?}");
        }
    }
}
