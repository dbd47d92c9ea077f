//! `modelday models`, `universes` and `reload`, and jobs over symbols of one's own.

use serde_json::Value;

use crate::command::{POLICIES, modelday, small};

const CSV: &str = "model,date,sequence,action,symbol,quantity\nmine,2025-10-01,1,buy,AAPL,3\n";
const MINE: &str = "[[models]]\nsignature = \"mine\"\nkind = \"recorded\"\ndecisions = \"mine.csv\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_and_universes_of_ones_own_are_stored_run_and_removed() {
    let folder = std::env::temp_dir().join(format!("modelday-models-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (file, installed) = (write("mine.toml", MINE), write("installed.toml", POLICIES));
    write("mine.csv", CSV);
    let wrong = write("wrong.toml", &MINE.replace("recorded", "magic"));
    let tiingo = "[[sources]]\nkind = \"tiingo\"\nbase_url = \"http://127.0.0.1:1\"\n";
    let alpha = "[[sources]]\nkind = \"alpha_vantage\"\n";
    let sources = write("sources.toml", alpha);
    let system = small().env("MODELS_FILE", &installed).env("SOURCES_FILE", &sources).start().await;
    let url = &system.client.status_url;
    let dates = ["--start", "2025-10-01", "--end", "2025-10-02"];
    let run = |more: &[&str]| modelday(url, &[&["run"], &dates[..], more].concat());

    let refused = modelday(url, &["models", "put", &wrong]);
    let stored = modelday(url, &["models", "put", &file]);
    let again: Value = modelday(url, &["models", "put", &file, "--json"]).json();
    let universe = modelday(url, &["universes", "put", "one", "aapl,msft", "AAPL", "--no-benchmark"]);
    let universes = modelday(url, &["universes", "--csv"]);
    let models = modelday(url, &["models", "--columns", "model,origin,version", "--csv"]);
    let ran = run(&["--models", "mine", "--universe", "one"]);
    let listed = run(&["--models", "mine", "--symbols", "aapl", "--experiment", "listed", "--detach"]);
    let both = run(&["--models", "mine", "--symbols", "AAPL", "--universe", "one"]);
    let removed = modelday(url, &["models", "delete", "mine"]);
    let gone = modelday(url, &["models", "delete", "mine"]);
    let universe_removed = modelday(url, &["universes", "delete", "one"]);
    let quiet = modelday(url, &["reload"]);
    write(
        "installed.toml",
        &format!(
            "{POLICIES}\n[[models]]\nsignature = \"new\"\nkind = \"policy\"\npolicy = {{ policy = \"cash\" }}\n"
        ),
    );
    write("sources.toml", &[tiingo, alpha].concat());
    let changed = modelday(url, &["reload"]);
    let listed_sources = modelday(url, &["sources"]);
    write("sources.toml", "[[sources]]\nkind = \"magic\"\n");
    let wrong_sources = modelday(url, &["reload"]);
    write("sources.toml", &[alpha, tiingo].concat());
    let reordered = modelday(url, &["reload"]);
    write("installed.toml", "[[models]]\nsignature = \"bad\"\nkind = \"policy\"\ntrials = 0\n");
    let bad = modelday(url, &["reload"]);
    std::fs::remove_dir_all(&folder).unwrap();

    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("models.mine unknown variant `magic`"), "{refused:?}");
    assert_eq!(stored.code, Some(0), "{stored:?}");
    assert!(stored.out.starts_with("mine: version 1, configuration "), "{stored:?}");
    assert_eq!(again["members"]["decisions_csv"], CSV, "{again}");
    assert_eq!(universe.out, "one: version 1, 2 symbols, benchmark none\n", "{universe:?}");
    assert!(universes.out.contains("one,no,2,,api,1"), "{universes:?}");
    assert!(models.out.contains("mine,api,1"), "{models:?}");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("mine"), "{ran:?}");
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert_eq!(both.code, Some(2), "{both:?}");
    assert_eq!((removed.code, removed.out.as_str()), (Some(0), "mine is removed.\n"));
    assert_eq!(gone.code, Some(2), "{gone:?}");
    assert_eq!(universe_removed.code, Some(0), "{universe_removed:?}");
    assert!(quiet.out.contains("installed.toml: ") && !quiet.out.contains("added"), "{quiet:?}");
    assert!(changed.out.contains("  added model new\n") && changed.code == Some(0), "{changed:?}");
    assert!(changed.out.contains("sources.toml: 1 unchanged\n  added source tiingo\n"), "{changed:?}");
    assert!(listed_sources.out.contains("tiingo"), "{listed_sources:?}");
    assert!(wrong_sources.out.contains("sources.toml: nothing was taken") && wrong_sources.code == Some(2));
    assert!(reordered.out.contains("sources.toml: 2 unchanged\n  changed source order\n"), "{reordered:?}");
    assert!(
        bad.out.contains("installed.toml: nothing was taken\n  models.bad.trials 0 is not 1 to 1000"),
        "{bad:?}"
    );
    assert_eq!(bad.code, Some(2), "{bad:?}");
}
