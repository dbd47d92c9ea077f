//! What may be called, with which key.

use core::net::IpAddr;

use super::*;

fn rules(allow: &[&str], keys: &[&str]) -> EndpointRules {
    let allow = allow.iter().map(|entry| entry.parse().unwrap()).collect();
    EndpointRules::new(AddressRules::new(allow), keys.iter().map(|key| key.parse().unwrap()).collect())
}

fn refused(rules: &EndpointRules, url: &str, key: Option<&str>) -> String {
    rules.check(url, key).map(|url| url.authority()).expect_err(url).to_string()
}

#[test]
fn a_key_is_sent_to_its_host_and_nowhere_else() {
    let rules = rules(&["localhost", "10.0.0.0/8"], &["MINE@llm.example.com", "LOCAL@127.0.0.1:8099"]);
    let check = |url: &str, key: &str, expected: &str| {
        let found = rules.check(url, Some(key)).map_or_else(|problem| problem.to_string(), |_| String::new());
        assert_eq!(found, expected, "{key} to {url}");
    };

    check("https://api.openai.com/v1", "OPENAI_API_KEY", "");
    check("https://API.openai.com./v1", "OPENAI_API_KEY", "");
    check("https://llm.example.com:8443/v1", "MINE", "");
    check("http://127.0.0.1:8099/act", "LOCAL", "");
    check(
        "https://evil.example/v1",
        "OPENAI_API_KEY",
        "names OPENAI_API_KEY, which belongs to api.openai.com and is not sent to evil.example",
    );
    check(
        "https://api.openai.com.evil.example/v1",
        "OPENAI_API_KEY",
        "names OPENAI_API_KEY, which belongs to api.openai.com and is not sent to api.openai.com.evil.example",
    );
    check(
        "http://127.0.0.1:8098/act",
        "LOCAL",
        "names LOCAL, which belongs to 127.0.0.1:8099 and is not sent to 127.0.0.1:8098",
    );
    check(
        "https://api.openai.com/v1",
        "DATABASE_URL",
        "names DATABASE_URL, which ENDPOINT_KEYS gives to no host",
    );
    check(
        "http://llm.example.com/v1",
        "MINE",
        "names MINE, which would be sent to another machine without encryption",
    );
}

#[test]
fn a_refusal_says_what_to_do() {
    let rules = rules(&[], &[]);
    let fix = |url: &str, key: Option<&str>| rules.check(url, key).expect_err(url).fix();

    assert_eq!(
        fix("https://a.example:1/", Some("KEY")),
        "correct the entry, or add KEY@a.example:1 to ENDPOINT_KEYS"
    );
    assert_eq!(
        fix("http://10.0.0.7/", None),
        "write another address, or add 10.0.0.7 to ENDPOINT_ALLOW if it is yours"
    );
    assert_eq!(fix("http://169.254.169.254/", None), "write another address");
}

#[test]
fn an_address_with_a_user_or_a_password_is_refused_and_not_repeated() {
    for url in
        ["https://sk-secret@api.openai.com/v1", "https://u:sk-secret@api.openai.com", "http://:sk-secret@a"]
    {
        let problem = refused(&rules(&[], &[]), url, None);

        assert_eq!(problem, "contains a user or a password", "{url}");
    }
    for url in ["sk-secret", "ftp://sk-secret@host/", "http://", "https://sk secret/"] {
        assert_eq!(refused(&rules(&[], &[]), url, None), "is not an http or https address", "{url}");
    }
}

#[test]
fn inside_addresses_are_closed_however_they_are_written() {
    for host in [
        "127.0.0.1",
        "127.9.9.9",
        "2130706433",
        "0x7f.1",
        "0",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:a00:1::]",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "[fd12::1]",
        "[fec0::1]",
        "[::]",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let problem = refused(&rules(&["192.168.7.0/24"], &[]), &format!("http://{host}:80/"), None);

        assert!(problem.contains("an inside address that ENDPOINT_ALLOW does not list"), "{host}: {problem}");
    }
    for host in ["8.8.8.8", "example.com", "[2606:4700::1111]", "172.32.0.1", "[64:ff9b::8.8.8.8]"] {
        assert!(rules(&[], &[]).check(&format!("http://{host}/"), None).is_ok(), "{host}");
    }
}

#[test]
fn metadata_and_link_local_addresses_are_closed_whatever_is_allowed() {
    let all = ["0.0.0.0/0", "::/0", "localhost", "169.254.169.254", "metadata.example"];
    for host in [
        "169.254.169.254",
        "169.254.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "0xa9fea9fe",
        "[fd20:ce::254]",
    ] {
        let problem = refused(&rules(&all, &[]), &format!("http://{host}/latest"), None);

        assert!(problem.contains("which is never called"), "{host}: {problem}");
    }
    let resolved: IpAddr = "169.254.169.254".parse().unwrap();
    for rules in [rules(&all, &[]).addresses, AddressRules::of_operator(), AddressRules::with_loopback()] {
        assert!(rules.check("metadata.example".to_owned(), resolved).is_err(), "{rules:?}");
    }
}

#[test]
fn what_the_operator_lists_is_open() {
    let rules = rules(&["10.0.0.0/8", "192.168.7.5", "ollama.internal", "fd12::/16", "localhost"], &[]);
    let check = |host: &str, address: &str, expected: bool| {
        let found = rules.addresses.check(host.to_owned(), address.parse().unwrap()).is_ok();
        assert_eq!(found, expected, "{host} {address}");
    };

    check("any.example", "10.200.0.1", true);
    check("any.example", "::ffff:10.200.0.1", true);
    check("any.example", "192.168.7.5", true);
    check("any.example", "192.168.7.6", false);
    check("ollama.internal", "192.168.9.9", true);
    check("other.internal", "192.168.9.9", false);
    check("any.example", "fd12::1", true);
    check("any.example", "127.0.0.9", true);
    check("localhost", "192.168.9.9", false);
    check("any.example", "93.184.216.34", true);
}

#[test]
fn an_entry_that_is_none_is_refused() {
    for entry in
        ["KEY", "KEY@", "@host", "K Y@host", "9KEY@host", "KEY@host/path", "KEY@host:port", "KEY@u@h"]
    {
        assert_eq!(entry.parse::<KeyHost>(), Err(KeyHostError), "{entry}");
    }
    let of_six: KeyHost = "K@[::1]:80".parse().unwrap();
    assert!(of_six.is_for(&"http://[::1]/".parse().unwrap()));
    for entry in ["10.0.0.0/33", "a b", "", "http://host", "0x7f.1"] {
        assert!(entry.parse::<AddressEntry>().is_err(), "{entry}");
    }
}

#[test]
fn the_keys_of_common_providers_are_those_of_the_documentation() {
    let page = include_str!("../../../../../docs/configuration.md");
    let line = page.lines().find(|line| line.starts_with("These need no entry: ")).unwrap();
    let documented: BTreeSet<&str> =
        line.split('`').filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();

    assert_eq!(rules(&[], &[]).variables(), documented);
}
