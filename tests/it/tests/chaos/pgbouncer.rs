//! PgBouncer, in session mode, between the services and PostgreSQL.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use it::{Shape, System};
use serde_json::json;
use storage::Owner;
use test_support::{TestDatabase, eventually};

/// A PgBouncer before a database. It ends with this value.
struct PgBouncer {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl PgBouncer {
    /// Starts it with the accounts of `database`; `None` on a machine where it cannot be installed.
    async fn before(database: &TestDatabase) -> Option<Self> {
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/packages.sh");
        let installed = Command::new(packages).arg("pgbouncer").output().unwrap();
        if !installed.status.success() {
            eprintln!("not run: {}", String::from_utf8_lossy(&installed.stderr));
            return None;
        }
        let folder = std::env::temp_dir().join(format!("modelday-pgbouncer-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users: String = urls(database)
            .iter()
            .map(|(_, url)| {
                let (user, password) = account(url);
                format!("\"{user}\" \"{password}\"\n")
            })
            .collect();
        let server = server(database.url()).replace(':', " port=");
        let settings = format!(
            "[databases]\n* = host={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\npool_mode = session\nauth_type = scram-sha-256\nauth_file = {0}/users.txt\n\
             ignore_startup_parameters = extra_float_digits\nmax_client_conn = 200\ndefault_pool_size = 40\n\
             logfile = {0}/log\n",
            folder.display()
        );
        std::fs::write(folder.join("users.txt"), users).unwrap();
        std::fs::write(folder.join("pgbouncer.ini"), settings).unwrap();
        let mut command = Command::new("pgbouncer");
        command.arg("-q").arg(folder.join("pgbouncer.ini")).stdin(Stdio::null()).stderr(Stdio::null());
        // It refuses to run as root.
        if std::fs::metadata(&folder).is_ok_and(|folder| std::os::unix::fs::MetadataExt::uid(&folder) == 0) {
            let owner = Command::new("chown").args(["-R", "postgres"]).arg(&folder).status().unwrap();
            assert!(owner.success());
            command.args(["-u", "postgres"]);
        }
        let bouncer = Self { process: command.spawn().unwrap(), folder, port };
        eventually("PgBouncer listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Some(bouncer)
    }

    fn instead_of(&self, url: &str) -> String {
        url.replace(server(url), &format!("127.0.0.1:{}", self.port))
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The setting and the URL of each account.
fn urls(database: &TestDatabase) -> Vec<(String, String)> {
    let services = [Owner::Trigger, Owner::Downloader, Owner::Executor, Owner::Status];
    let own = services.map(|service| {
        (format!("{}_DATABASE_URL", service.as_str().to_uppercase()), database.url_of(service))
    });
    [("DATABASE_URL".to_owned(), database.url().to_owned())].into_iter().chain(own).collect()
}

fn account(url: &str) -> (&str, &str) {
    let (_, rest) = url.split_once("://").unwrap();
    rest.split_once('@').unwrap().0.split_once(':').unwrap()
}

/// Host and port.
fn server(url: &str) -> &str {
    let (_, rest) = url.rsplit_once('@').unwrap();
    rest.split_once('/').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_job_runs_through_pgbouncer_in_session_mode() {
    let database = TestDatabase::new().await;
    let Some(bouncer) = PgBouncer::before(&database).await else { return };
    let mut system = System::builder(Shape::OneProcess);
    for (setting, url) in urls(&database) {
        system = system.env(&setting, &bouncer.instead_of(&url));
    }
    let system = system.start().await;

    let request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" });
    let status = system.client.ended(&system.client.trigger(&request).await).await;

    assert_eq!(status["status"], "completed", "{status}");
    let limits =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE '%_login'";
    assert!(database.count(limits).await > 4, "the services are connected to this database");
    drop(system);
    drop(bouncer);
}
