//! HTTPS of the API itself.

use std::net::TcpListener;
use std::path::Path;

use it::Program;
use reqwest::Certificate;
use test_support::{TestDatabase, TestVhost, eventually};

use super::authority::Authority;

/// A client that trusts this authority and no other.
fn client(authority: &Authority) -> reqwest::Client {
    // An error means that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = std::fs::read(authority.certificate()).unwrap();
    let trusted = [Certificate::from_pem(&certificate).unwrap()];
    // Every request gets a connection of its own.
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.tls_certs_only(trusted).build().unwrap()
}

/// Replaces a file at once, as tools that renew certificates do.
fn replace(from: &Path, to: &Path) {
    let beside = to.with_extension("new");
    std::fs::copy(from, &beside).unwrap();
    std::fs::rename(&beside, to).unwrap();
}

#[tokio::test]
async fn the_api_speaks_tls_and_takes_a_renewed_certificate_without_a_restart() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::new());
    let (first, second) = (Authority::new("the first one"), Authority::new("the second one"));
    let (certificate, key) = (first.folder().join("server.pem"), first.folder().join("server.key"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = [
        ("DATABASE_URL", database.url().to_owned()),
        ("AMQP_URL", vhost.url().to_owned()),
        ("LISTEN", format!("127.0.0.1:{port}")),
        ("TLS_CERT_FILE", certificate.display().to_string()),
        ("TLS_KEY_FILE", key.display().to_string()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let program = Program::start(&["serve"], &settings);
    let url = format!("https://127.0.0.1:{port}/jobs");
    let answered = async |client: &reqwest::Client| {
        client.get(&url).send().await.ok().filter(|response| response.status().is_success()).map(drop)
    };

    eventually("the first certificate is served", async || answered(&client(&first)).await).await;
    assert_eq!(answered(&client(&second)).await, None, "its authority is not trusted");
    let plain = format!("http://127.0.0.1:{port}/jobs");
    assert!(client(&first).get(&plain).send().await.is_err(), "plain HTTP is not spoken");

    replace(&second.folder().join("server.pem"), &certificate);
    program.wait_for("new connections get the earlier certificate");
    eventually("a certificate without its key changes nothing", async || answered(&client(&first)).await)
        .await;
    replace(&second.folder().join("server.key"), &key);
    eventually("the second certificate is served", async || answered(&client(&second)).await).await;
}
