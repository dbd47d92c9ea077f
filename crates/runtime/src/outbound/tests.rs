//! What a client connects to, with a fake lookup of names and servers of our own.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::infrastructure::Infrastructure;
use crate::settings::Settings;

/// A server that answers every connection with `answer`.
async fn server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    address
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

fn allow(entries: &[&str]) -> AddressRules {
    AddressRules::new(entries.iter().map(|entry| entry.parse().unwrap()).collect())
}

async fn get(outbound: &Outbound, url: &str) -> reqwest::Result<String> {
    outbound.client()?.build()?.get(url).send().await?.text().await
}

#[tokio::test]
async fn a_name_that_resolves_to_a_closed_address_is_not_connected_to() {
    let port = server(OK).await.port();
    let url = format!("http://harmless.example:{port}/");
    let resolved = |rules: AddressRules, addresses: &'static [&'static str]| {
        Outbound::new(rules, None).with_lookup(|_| {
            addresses.iter().map(|address| (address.parse::<std::net::IpAddr>().unwrap(), 0).into()).collect()
        })
    };

    for address in
        [&["127.0.0.1"] as &[&str], &["169.254.169.254", "10.0.0.1"], &["::ffff:127.0.0.1"], &["fe80::1"]]
    {
        let outbound = resolved(allow(&["192.168.0.0/16"]), address);
        let error = get(&outbound, &url).await.unwrap_err();
        assert!(address_refusal(&error).is_some(), "{address:?}: {error:?}");
    }
    let mixed = resolved(allow(&["127.0.0.0/8"]), &["169.254.169.254", "127.0.0.1"]);
    assert_eq!(get(&mixed, &url).await.unwrap(), "ok", "only the open address is connected to");
    let by_name = resolved(allow(&["harmless.example"]), &["127.0.0.1"]);
    assert_eq!(get(&by_name, &url).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_name_of_this_machine_in_the_systems_own_table_is_judged_by_its_address() {
    let port = server(OK).await.port();
    let url = format!("http://localhost:{port}/");

    let closed = get(&Outbound::new(AddressRules::default(), None), &url).await.unwrap_err();
    let open = get(&Outbound::new(AddressRules::with_loopback(), None), &url).await.unwrap();

    assert!(address_refusal(&closed).unwrap().to_string().contains("ENDPOINT_ALLOW"), "{closed:?}");
    assert_eq!(open, "ok");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 5\r\nconnection: close\r\n\r\nmoved";
    let url = format!("http://{}/", server(redirect).await);

    let body = get(&Outbound::new(AddressRules::with_loopback(), None), &url).await.unwrap();

    assert_eq!(body, "moved");
}

#[tokio::test]
async fn a_proxy_is_called_only_when_it_is_configured_and_not_for_what_is_inside() {
    let proxy = server("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nproxied").await;
    let local = server(OK).await;
    let proxy: EndpointUrl = format!("http://proxy.internal:{}", proxy.port()).parse().unwrap();
    let lookup = |name: &str| match name {
        "proxy.internal" => vec![([127, 0, 0, 1], 0).into()],
        other => panic!("{other} is resolved by the proxy"),
    };

    let outbound = Outbound::new(allow(&["127.0.0.0/8"]), Some(proxy)).with_lookup(lookup);

    assert_eq!(get(&outbound, "http://far.example/").await.unwrap(), "proxied");
    assert_eq!(get(&outbound, &format!("http://{local}/")).await.unwrap(), "ok");
}

fn settings(environment: &[(&str, &str)]) -> Settings {
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Settings::new(environment, None)
}

#[test]
fn credentials_in_an_address_are_refused_and_not_printed() {
    let mut settings = settings(&[
        ("OUTBOUND_PROXY", "http://hush:hush@proxy:3128"),
        ("A_URL", "https://hush@host/"),
        ("B_URL", "hush"),
        ("C_URL", "http://169.254.169.254/"),
        ("D_URL", "http://10.0.0.1:8090"),
    ]);
    Outbound::from_settings(&mut settings, AddressRules::default());
    let read =
        ["A_URL", "B_URL", "C_URL", "D_URL"].map(|key| web_address(&mut settings, key, "write an address"));

    let text = settings.finish(Some(())).unwrap_err().to_string();

    assert_eq!(read.map(|read| read.is_some()), [false, false, false, true]);
    assert!(
        text.contains("OUTBOUND_PROXY (environment): contains a user or a password; write it without them"),
        "{text}"
    );
    assert!(
        text.contains("B_URL (environment): is not an http or https address; write an address"),
        "{text}"
    );
    assert!(
        text.contains("C_URL (environment): leads to 169.254.169.254, a link-local or metadata"),
        "{text}"
    );
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn keys_and_networks_are_read_from_lists_and_a_key_by_mistake_is_not_printed() {
    let mut good = settings(&[
        ("ENDPOINT_KEYS", "A@a.example,B@b.example:8443  C@c"),
        ("ENDPOINT_ALLOW", "10.0.0.0/8 nas"),
    ]);
    let rules = endpoint_rules(&mut good, None);
    good.finish(Some(())).unwrap();
    let mut bad = settings(&[("ENDPOINT_KEYS", "sk-hush A@host"), ("ENDPOINT_ALLOW", "10.0.0.0/99")]);
    endpoint_rules(&mut bad, None);
    let text = bad.finish(Some(())).unwrap_err().to_string();

    assert!(["A", "B", "C", "OPENAI_API_KEY"].iter().all(|key| rules.variables().contains(key)), "{rules:?}");
    assert!(rules.check("https://b.example:8443/", Some("B")).is_ok());
    assert!(rules.check("http://10.1.1.1/", None).is_ok() && rules.check("http://127.0.0.1/", None).is_err());
    assert!(text.contains("ENDPOINT_KEYS (environment): has an entry that is not VARIABLE@host"), "{text}");
    assert!(text.contains("ENDPOINT_ALLOW (environment): \"10.0.0.0/99\" is neither"), "{text}");
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn this_machine_is_open_by_default_only_while_no_other_reaches_the_api() {
    let rules = |listen: &str| {
        let mut settings = settings(&[
            ("LISTEN", listen),
            ("LISTEN_TRUSTED_NETWORK", "true"),
            ("DATABASE_URL", "postgres://u@127.0.0.1/d"),
            ("AMQP_URL", "amqp://127.0.0.1"),
        ]);
        let infrastructure = Infrastructure::from_settings(&mut settings, "executor", 8083);
        endpoint_rules(&mut settings, infrastructure.as_ref())
    };

    assert!(rules("127.0.0.1:8083").check("http://localhost:11434/v1", None).is_ok());
    assert!(rules("0.0.0.0:8083").check("http://localhost:11434/v1", None).is_err());
    assert!(rules("127.0.0.1:8083").check("http://192.168.0.9/v1", None).is_err());
}

/// The environment of the process, which a test that runs beside others cannot change, names a proxy in a child: this test
/// program again, with this test alone.
#[tokio::test]
async fn a_proxy_that_the_environment_names_is_not_used() {
    const CALLED: &str = "MODELDAY_TEST_CALLED";
    if let Ok(url) = std::env::var(CALLED) {
        let body = get(&Outbound::new(AddressRules::with_loopback(), None), &url).await.unwrap();
        assert_eq!(body, "ok");
        return;
    }
    let (called, proxy) =
        (server(OK).await, server("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await);
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "outbound::tests::a_proxy_that_the_environment_names_is_not_used"]);
    child.env(CALLED, format!("http://{called}/"));
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, format!("http://{proxy}/"));
    }

    let ran = child.output().await.unwrap();

    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}
