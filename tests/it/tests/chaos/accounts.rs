//! The servers of `make run`: which accounts they have, also when the broker has lost its data.

use it::Stack;
use lapin::{Connection, ConnectionProperties};
use messaging::topology::Account;
use sqlx::Connection as _;
use sqlx_postgres::PgConnection;

/// The address with other credentials.
fn log_in(url: &str, credentials: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("an address");
    let (_, host) = rest.split_once('@').expect("credentials");
    format!("{scheme}://{credentials}@{host}")
}

async fn opens(url: &str) -> bool {
    Connection::connect(url, ConnectionProperties::default()).await.is_ok()
}

/// One test, because the servers are started once.
#[tokio::test]
async fn the_servers_of_make_run_have_no_guest_and_no_service_is_an_administrator() {
    let stack = Stack::new("accounts", None);
    stack.run(&["up", "--private"]);
    let trigger = stack.variable("TRIGGER_AMQP_URL");
    let services = Account::ALL.map(|account| account.as_str().to_uppercase());

    for service in &services {
        let url = stack.variable(&format!("{service}_DATABASE_URL"));
        let mut session = PgConnection::connect(&url).await.expect("the account connects");
        let (is_superuser, is_member): (bool, bool) = sqlx::query_as(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb, pg_has_role($1, 'MEMBER')
             FROM pg_roles WHERE rolname = current_user",
        )
        .bind(format!("modelday_{}", service.to_lowercase()))
        .fetch_one(&mut session)
        .await
        .expect("an answer");
        assert_eq!((is_superuser, is_member), (false, true), "{service}");
    }
    for round in ["new", "without its data"] {
        for service in services.iter().map(String::as_str).chain(["READER"]) {
            assert!(opens(&stack.variable(&format!("{service}_AMQP_URL"))).await, "{service}, {round}");
        }
        for credentials in ["guest:guest", "administrator:guest", "modelday_trigger:guest"] {
            assert!(!opens(&log_in(&trigger, credentials)).await, "{credentials}, {round}");
        }
        let (server, _) = trigger.rsplit_once('/').expect("a virtual host");
        assert!(!opens(&log_in(&format!("{server}/%2f"), "guest:guest")).await, "{round}");
        let users = stack.run(&["ctl", "rabbitmq", "-q", "list_users"]);
        assert_eq!(users.lines().filter(|line| line.ends_with("[]")).count(), 5, "{users}");
        assert!(!users.contains("guest") && !users.contains("administrator"), "{users}");
        let port: u16 = server.rsplit_once(':').expect("a port").1.parse().expect("a port");
        let management = std::net::TcpStream::connect(("127.0.0.1", port + 10));
        assert!(management.is_err(), "the management API listens");
        stack.run(&["ctl", "rabbitmq", "stop_app"]);
        stack.run(&["ctl", "rabbitmq", "force_reset"]);
        stack.run(&["ctl", "rabbitmq", "start_app"]);
    }
}
