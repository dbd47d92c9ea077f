//! The commands of `docs/deploy.md` that save and restore a database.

use std::process::Command;

use it::{Shape, System};
use serde_json::json;
use storage::Owner;
use test_support::TestDatabase;

use crate::{printed, root};

const DAYS: &str = "SELECT count(*) FROM execution.model_days WHERE state = 'completed'";

/// The address of a database for the server's administrator.
fn administrator(database: &TestDatabase) -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{}", database.name())
}

/// The commands, which are one block of the document.
fn commands() -> String {
    let text = std::fs::read_to_string(root().join("docs/deploy.md")).unwrap();
    let mut blocks = text.split("```sh\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0);
    blocks.find(|block| block.contains("pg_dump")).expect("commands that save").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_has_every_day_and_its_services_work() {
    let request = |experiment: &str| json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "experiment": experiment });
    let system = System::builder(Shape::OneProcess).start().await;
    let job = system.client.trigger(&request("saved")).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    let restored = TestDatabase::bare().await;
    let folder = std::env::temp_dir().join(format!("modelday-backup-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let commands = commands().replace("modelday.dump", &folder.join("modelday.dump").display().to_string());

    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &commands]).current_dir(root());
    bash.env("FROM", administrator(&system.database)).env("TO", administrator(&restored));
    let output = bash.output().unwrap();

    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    let days = system.database.count(DAYS).await;
    assert!(days > 0);
    assert_eq!(restored.count(DAYS).await, days);
    // The accounts get their passwords.
    restored.set_up().await;
    let mut copy = System::builder(Shape::OneProcess).env("DATABASE_URL", restored.url());
    for service in [Owner::Trigger, Owner::Downloader, Owner::Executor, Owner::Status] {
        let setting = format!("{}_DATABASE_URL", service.as_str().to_uppercase());
        copy = copy.env(&setting, &restored.url_of(service));
    }
    let copy = copy.start().await;
    assert_eq!(copy.client.job(&job).await["status"], "completed");
    let another = copy.client.trigger(&request("restored")).await;
    assert_eq!(copy.client.ended(&another).await["status"], "completed");
    drop(copy);
}
