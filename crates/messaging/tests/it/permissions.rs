//! What each account may do at the broker: `deploy/rabbitmq/accounts.json` grants what the topology needs, and no more.

use std::path::Path;

use messaging::topology::{
    Account, COMMANDS, CONTROL, CONTROL_LISTENERS, DEFAULT, EVENTS, EXCHANGES, PUBLICATIONS, QUEUES,
};
use serde_json::{Value, json};

/// A name that no resource has.
const NOTHING: &str = "^$";
/// Temporary queues are named by the broker.
const TEMPORARY: &str = r"amq\.gen-.*";
/// Third parties read the events with queues of their own.
const READER_QUEUES: &str = r"ext\..*";

/// One pattern for all of these patterns.
fn any_of(patterns: Vec<String>) -> String {
    if patterns.is_empty() { NOTHING.to_owned() } else { format!("^({})$", patterns.join("|")) }
}

/// A pattern for exactly this name.
fn exactly(name: &str) -> String {
    // Permissions on the default exchange use another name, because its own is empty.
    if name == DEFAULT { r"amq\.default".to_owned() } else { name.replace('.', r"\.") }
}

/// What an account may configure, write and read in a virtual host.
fn permissions(account: Account) -> [String; 3] {
    let exchanges = || EXCHANGES.into_iter().map(|(name, _)| name);
    let published = || exchanges().chain([DEFAULT]).filter(|name| account.publishes_to(name));
    let bound = || exchanges().filter(|name| account.reads_from(name));
    let queues = || QUEUES.iter().filter(|queue| queue.reader == account).map(|queue| queue.name);
    let temporary = CONTROL_LISTENERS.contains(&account).then_some(TEMPORARY.to_owned());
    let patterns =
        |names: Vec<&str>| any_of(names.into_iter().map(exactly).chain(temporary.clone()).collect());
    let declared = exchanges().filter(|name| account.publishes_to(name) || account.reads_from(name));
    [
        patterns(declared.chain(queues()).collect()),
        // Binding a queue takes the right to write to it.
        patterns(published().chain(queues()).collect()),
        patterns(bound().chain(queues()).collect()),
    ]
}

/// With which routing keys an account may publish to a topic exchange, and bind queues to it.
fn routing_keys(account: Account, exchange: &str) -> [String; 2] {
    let published = PUBLICATIONS.iter().filter(|one| one.account == account && one.exchange == exchange);
    let bound = QUEUES.iter().filter(|queue| queue.reader == account && queue.exchange == exchange);
    [
        any_of(published.flat_map(|one| one.routing_keys).map(|key| exactly(key)).collect()),
        any_of(bound.flat_map(|queue| queue.routing_keys).map(|key| exactly(key)).collect()),
    ]
}

/// The definitions that a broker imports, with placeholders for the name of the installation and the passwords.
fn definitions() -> String {
    let user = |name: &str| format!("@INSTALLATION@_{name}");
    let vhosts = ["@INSTALLATION@", "@INSTALLATION@_dev"];
    let mut users = Vec::new();
    for name in Account::ALL.map(Account::as_str).into_iter().chain(["reader"]) {
        users.push(json!({
            "name": user(name), "tags": [], "password_hash": format!("@{}@", name.to_uppercase()),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
        }));
    }
    let (mut in_vhosts, mut on_exchanges) = (Vec::new(), Vec::new());
    for vhost in vhosts {
        for account in Account::ALL {
            let [configure, write, read] = permissions(account);
            in_vhosts.push(json!({
                "vhost": vhost, "user": user(account.as_str()), "configure": configure, "write": write, "read": read,
            }));
            for exchange in [EVENTS, COMMANDS] {
                if account.publishes_to(exchange) || account.reads_from(exchange) {
                    let [write, read] = routing_keys(account, exchange);
                    on_exchanges.push(json!({
                        "vhost": vhost, "user": user(account.as_str()), "exchange": exchange, "write": write, "read": read,
                    }));
                }
            }
        }
        let queues = any_of(vec![READER_QUEUES.to_owned()]);
        let read = any_of(vec![READER_QUEUES.to_owned(), exactly(EVENTS)]);
        in_vhosts.push(json!({
            "vhost": vhost, "user": user("reader"), "configure": queues, "write": queues, "read": read,
        }));
        on_exchanges.push(json!({
            "vhost": vhost, "user": user("reader"), "exchange": EVENTS, "write": NOTHING, "read": ".*",
        }));
    }
    // Of several brokers each leads as many queues as the others, whichever of them the services are connected to. An
    // argument of the queues would do the same, and would refuse those that exist.
    let pattern = any_of(QUEUES.iter().map(|queue| exactly(queue.name)).collect());
    let policies = vhosts.map(|vhost| {
        json!({
            "vhost": vhost, "name": "modelday-leaders", "pattern": pattern, "apply-to": "queues", "priority": 0,
            "definition": { "queue-leader-locator": "balanced" },
        })
    });
    let vhosts = vhosts.map(|name| json!({ "name": name })).to_vec();
    let lists = [
        ("vhosts", vhosts),
        ("users", users),
        ("permissions", in_vhosts),
        ("topic_permissions", on_exchanges),
        ("policies", policies.to_vec()),
    ];
    let lists = lists.map(|(name, list)| format!("\"{name}\": [\n{}\n]", lines(&list)));
    format!("{{\n{}\n}}\n", lists.join(",\n"))
}

/// One line for each value.
fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("  {value}")).collect::<Vec<_>>().join(",\n")
}

#[test]
fn the_accounts_file_grants_what_the_topology_needs_and_no_more() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/rabbitmq/accounts.json");

    let expected = definitions();

    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} must be:\n{expected}", path.display());
}

#[test]
fn an_account_may_do_what_its_service_does() {
    let [configure, write, read] = permissions(Account::Executor);

    let used = r"modelday\.events|modelday\.commands\.v2|modelday\.control|modelday\.dead";
    let queues = r"executor\.plans\.v1|executor\.lanes\.v1|executor\.agents\.v1|executor\.control\.v1";
    assert_eq!(configure, format!(r"^({used}|{queues}|amq\.gen-.*)$"));
    assert_eq!(
        write,
        format!(r"^(modelday\.events|modelday\.commands\.v2|modelday\.dead|{queues}|amq\.gen-.*)$")
    );
    assert_eq!(
        read,
        format!(r"^(modelday\.events|modelday\.commands\.v2|modelday\.control|{queues}|amq\.gen-.*)$")
    );
    assert_eq!(
        routing_keys(Account::Executor, COMMANDS),
        [
            r"^(lane\.continue|lane\.continue\.agents)$",
            r"^(lane\.continue|lane\.continue\.agents|job\.cancel)$"
        ]
    );
    assert_eq!(
        routing_keys(Account::Executor, EVENTS)[1],
        r"^(modelday\.data\.ready\.v1|modelday\.data\.failed\.v1)$"
    );
    assert_eq!(
        permissions(Account::Status)[1],
        r"^(modelday\.dead|amq\.default|status\.dead-letters\.v1|status\.projection\.v1)$"
    );
    assert_eq!(routing_keys(Account::Status, EVENTS), [NOTHING, r"^(modelday\.#)$"]);
    assert!(!permissions(Account::Trigger)[2].contains(&exactly(CONTROL)));
}
