//! The accounts with which services work.

use it::{Shape, System};
use messaging::topology::Account;

#[tokio::test]
async fn services_in_one_process_have_an_account_each() {
    let system = System::builder(Shape::OneProcess).start().await;

    let sessions =
        "SELECT string_agg(DISTINCT concat_ws(' ', split_part(application_name, '-', 2), usename), ', ')
         FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'modelday-%'";
    let found = system.database.text(sessions).await;

    let mut expected = Account::ALL.map(|account| {
        let service = account.as_str();
        format!("{service} {}_{service}_login", system.database.name())
    });
    expected.sort();
    assert_eq!(found, expected.join(", "));
}
