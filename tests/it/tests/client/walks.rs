//! What people do first, as `docs/walks.md` describes it, with as many commands and without a restart.

use std::path::{Path, PathBuf};

use it::{PythonAgent, Shape, System};
use serde_json::json;
use standin::chat::{ChatEndpoint, ToolCall};

use crate::command::{CommandResult, POLICIES, modelday_in};

const MONTH: [&str; 4] = ["--start", "2025-10-01", "--end", "2025-10-29"];

/// The folder of a clone, whose models file a running Modelday reads.
struct Clone(PathBuf);

impl Clone {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("modelday-walk-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(folder.join("configs")).unwrap();
        std::fs::write(folder.join("configs/models.toml"), POLICIES).unwrap();
        std::fs::write(folder.join(".env"), "# Mine.\n").unwrap();
        Self(folder)
    }

    async fn running(&self) -> System {
        let file = |name: &str| self.0.join(name).display().to_string();
        System::builder(Shape::OneProcess)
            .env("MODELS_FILE", &file("configs/models.toml"))
            .env("KEYS_FILE", &file(".env"))
            .env("ENDPOINT_KEYS", "")
            .start()
            .await
    }

    fn modelday(&self, system: &System, arguments: &[&str]) -> CommandResult {
        self.modelday_with(system, &[], arguments)
    }

    fn modelday_with(&self, system: &System, env: &[(&str, &str)], arguments: &[&str]) -> CommandResult {
        modelday_in(&self.0, &system.client.status_url, env, arguments)
    }
}

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The job that a command has run.
fn job(result: &CommandResult) -> String {
    let line = result.out.lines().find_map(|line| line.strip_prefix("Job "));
    line.unwrap_or_else(|| panic!("no job: {result:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_researcher_runs_a_model_on_five_symbols_sees_why_it_bought_and_takes_a_report_away() {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let buy = ToolCall::new("buy", &json!({ "symbol": "NVDA", "amount": 2 }));
    endpoint.script("m", "*", vec![vec![buy]]);
    let clone = Clone::new();
    let system = clone.running().await;
    let setup = [
        "init",
        "--no-input",
        "--run",
        "--provider",
        "none",
        "--kind",
        "llm",
        "--model",
        "mine",
        "--basemodel",
        "m",
    ];
    let of_mine = ["--url", &endpoint.base_url(), "--symbols", "AAPL,MSFT,NVDA,AMD,INTC"];

    let ran = clone.modelday(&system, &[&setup[..], &of_mine, &MONTH].concat());
    let job = job(&ran);
    let why = system.client.model_day(&job, "mine", "2025-10-15").await;
    let report = clone.modelday(&system, &["report", "--job", &job, "-o", "report.html"]);

    assert_eq!((ran.code, report.code), (Some(0), Some(0)), "{ran:?} {report:?}");
    assert!(ran.out.contains("mine") && ran.out.contains("21"), "{ran:?}");
    assert!(ran.err.contains(&format!("/board/jobs/{job}")), "{ran:?}");
    let conversation = why.to_string();
    assert!(conversation.contains("NVDA") && conversation.contains("buy"), "{conversation}");
    let page = std::fs::read_to_string(clone.0.join("report.html")).unwrap();
    assert!(page.contains("mine") && page.contains("Drawdown"), "{} bytes", page.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_counts_without_a_restart_is_replaced_while_models_run_and_is_shown_nowhere() {
    let (first, second) = ("sk-first-0123456789", "sk-second-0123456789");
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    endpoint.require_key(first);
    let clone = Clone::new();
    let system = clone.running().await;
    let url = endpoint.base_url();
    let of_mine = ["--model", "mine", "--basemodel", "m", "--url", &url, "--symbols", "AAPL,MSFT"];
    let setup = ["init", "--no-input", "--run", "--provider", "none", "--kind", "llm"];
    let week = ["--start", "2025-10-01", "--end", "2025-10-07"];
    let again = |experiment: &str| {
        let run = ["run", "--models", "mine", "--symbols", "AAPL,MSFT", "--experiment", experiment];
        clone.modelday(&system, &[&run[..], &week].concat())
    };
    let keys = |text: &str| {
        let variables = std::fs::read_to_string(clone.0.join(".env")).unwrap();
        std::fs::write(clone.0.join(".env"), variables.replace(first, text)).unwrap();
        clone.modelday(&system, &["reload"])
    };

    let of_env = [("MODEL_MINE_API_KEY", first)];
    let ran = clone.modelday_with(&system, &of_env, &[&setup[..], &of_mine, &week].concat());
    endpoint.require_key(second);
    let wrong = keys(&format!("{second}' and more"));
    let refused = again("before");
    let variables = std::fs::read_to_string(clone.0.join(".env")).unwrap();
    std::fs::write(clone.0.join(".env"), variables.replace(&format!("{second}' and more"), first)).unwrap();
    let renewed = keys(second);
    let accepted = again("after");

    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("has taken it"), "{ran:?}");
    assert!(wrong.code == Some(2) && wrong.out.contains("nothing was taken"), "{wrong:?}");
    assert!(refused.code == Some(1) && refused.out.contains("bad_credentials"), "{refused:?}");
    assert_eq!((renewed.code, accepted.code), (Some(0), Some(0)), "{renewed:?} {accepted:?}");
    assert!(renewed.out.contains("changed key MODEL_MINE_API_KEY"), "{renewed:?}");
    let printed = format!("{ran:?}{wrong:?}{refused:?}{renewed:?}{accepted:?}");
    let events = system.client.get_ok("/events?limit=1000").await.to_string();
    for key in [first, second] {
        assert!(!printed.contains(key) && !events.contains(key) && !system.logs().contains(key), "{printed}");
    }
    assert!(system.logs().contains("changed key MODEL_MINE_API_KEY"), "the change is audited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engineer_tries_an_agent_runs_it_for_a_month_and_reads_what_is_wrong_with_it() {
    let agent = PythonAgent::start(Path::new("python3"), "docs/examples/agent.py", &[]);
    let faulty = PythonAgent::start(Path::new("python3"), "tests/python/faulty_agent.py", &[]);
    let clone = Clone::new();
    let system = clone.running().await;
    let symbols = ["--symbols", "AAPL,MSFT,NVDA,AMZN"];
    let init = |model: &str, url: &str| {
        let setup =
            ["init", "--no-input", "--provider", "none", "--kind", "http", "--model", model, "--url", url];
        clone.modelday(&system, &[&setup[..], &symbols, &MONTH].concat())
    };

    let refused = init("broken", &format!("{}/crash", faulty.url));
    let known = init("agent", &agent.url);
    // Prices are there from the first job on; here they come with it.
    let priced = clone.modelday(&system, &[&["run", "--models", "agent"], &symbols[..], &MONTH].concat());
    let tried = clone.modelday(&system, &[&["try", "agent", "--date", "2025-10-15"], &symbols[..]].concat());
    let board = clone.modelday(&system, &["leaderboard", "--models", "agent"]);

    assert!(refused.code == Some(1) && refused.err.contains("status 500"), "{refused:?}");
    assert!(refused.err.contains("fix: "), "{refused:?}");
    assert!(known.out.contains("run --models agent") && known.code == Some(0), "{known:?}");
    assert_eq!((priced.code, tried.code), (Some(0), Some(0)), "{priced:?} {tried:?}");
    assert!(tried.out.contains("Nothing is wrong"), "{tried:?}");
    assert!(board.out.contains("agent"), "{board:?}");

    let entry =
        format!("[[models]]\nsignature = \"broken\"\nkind = \"http\"\nurl = \"{}/crash\"\n", faulty.url);
    std::fs::write(clone.0.join("broken.toml"), entry).unwrap();
    let stored = clone.modelday(&system, &["models", "put", "broken.toml"]);
    let days = ["--start", "2025-10-01", "--end", "2025-10-01"];
    let failed = clone.modelday(&system, &[&["run", "--models", "broken"], &symbols[..], &days].concat());
    let explained =
        clone.modelday(&system, &[&["try", "broken", "--date", "2025-10-01"], &symbols[..]].concat());

    assert_eq!((stored.code, failed.code, explained.code), (Some(0), Some(1), Some(1)), "{failed:?}");
    assert!(failed.out.contains("failed: broken on 2025-10-01"), "{failed:?}");
    assert!(failed.out.contains("modelday try broken --date 2025-10-01"), "{failed:?}");
    assert!(explained.out.contains("status 500") && explained.out.contains("fix: "), "{explained:?}");
}
