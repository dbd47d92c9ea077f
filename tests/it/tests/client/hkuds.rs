//! `modelday import hkuds`: folders as that project keeps them, made of the recorded run.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use it::{Shape, System};
use serde_json::{Map, Value, json};

use crate::command::modelday;

const NOWHERE: &str = "http://127.0.0.1:1";

const DECISIONS: &str = include_str!("../../../../configs/recorded/ai-trader-2025-10.csv");
const FIRST: &str = "2025-10-01";
const LAST: &str = "2025-10-29";

/// A bar as the provider wrote it: open, high, low, close, volume.
type Bar = [String; 5];

/// A folder of the project. It is removed with this value.
struct Folder {
    path: PathBuf,
    prices: BTreeMap<String, BTreeMap<String, Bar>>,
}

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-hkuds-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).unwrap();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/nasdaq100_daily_2025.csv.gz");
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
        let mut prices = BTreeMap::<String, BTreeMap<String, Bar>>::new();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [symbol, date, open, high, low, close, volume] = fields[..] else { panic!("{line}") };
            let bar = [open, high, low, close, volume].map(str::to_owned);
            prices.entry(symbol.to_owned()).or_default().insert(date.to_owned(), bar);
        }
        Self { path, prices }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn write_positions(&self, agent: &str, records: &[Value]) {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        self.write(&format!("data/agent_data/{agent}/position/position.jsonl"), &lines);
    }

    /// Prices of a symbol in Alpha Vantage's form, with the newest day first.
    fn write_prices(&self, symbol: &str) {
        let days = self.prices[symbol].iter().rev().map(|(date, [open, high, low, close, volume])| {
            let bar = json!({ "1. open": open, "2. high": high, "3. low": low, "4. close": close, "5. volume": volume });
            (date.clone(), bar)
        });
        let meta = json!({ "1. Information": "Daily Prices (open, high, low, close) and Volumes", "2. Symbol": symbol,
            "3. Last Refreshed": "2025-10-30", "4. Output Size": "Compact", "5. Time Zone": "US/Eastern" });
        let body = json!({ "Meta Data": meta, "Time Series (Daily)": days.collect::<Map<String, Value>>() });
        self.write(&format!("data/daily_prices_{symbol}.json"), &body.to_string());
    }

    /// The records that the project would have written of an agent's orders, with its arithmetic.
    fn records(&self, agent: &str) -> Vec<Value> {
        let mut book = Book::new(&self.prices);
        let mut orders = BTreeMap::<&str, Vec<(&str, &str, i64)>>::new();
        for line in DECISIONS.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [model, date, _, action, symbol, quantity] = fields[..] else { panic!("{line}") };
            if model == agent {
                orders.entry(date).or_default().push((action, symbol, quantity.parse().unwrap()));
            }
        }
        let sessions = self.prices["QQQ"].keys().filter(|date| (FIRST..=LAST).contains(&date.as_str()));
        for date in sessions.skip(1) {
            match orders.get(date.as_str()) {
                Some(orders) => orders.iter().for_each(|order| book.fill(date, *order)),
                None => book.record(date, Some(("no_trade", "", 0))),
            }
        }
        book.records
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A position file as it grows: binary floating-point cash, and every symbol in every record.
struct Book<'a> {
    prices: &'a BTreeMap<String, BTreeMap<String, Bar>>,
    cash: f64,
    shares: BTreeMap<String, i64>,
    records: Vec<Value>,
}

impl<'a> Book<'a> {
    fn new(prices: &'a BTreeMap<String, BTreeMap<String, Bar>>) -> Self {
        let shares =
            prices.keys().filter(|symbol| *symbol != "QQQ").map(|symbol| (symbol.clone(), 0)).collect();
        let mut book = Self { prices, cash: 10_000.0, shares, records: Vec::new() };
        book.record(FIRST, None);
        book
    }

    fn fill(&mut self, date: &str, (action, symbol, quantity): (&str, &str, i64)) {
        let open: f64 = self.prices[symbol][date][0].parse().unwrap();
        let sign = if action == "buy" { 1 } else { -1 };
        self.cash -= f64::from(i32::try_from(sign * quantity).unwrap()) * open;
        *self.shares.get_mut(symbol).unwrap() += sign * quantity;
        self.record(date, Some((action, symbol, quantity)));
    }

    fn record(&mut self, date: &str, action: Option<(&str, &str, i64)>) {
        let mut positions: Map<String, Value> =
            self.shares.iter().map(|(symbol, quantity)| (symbol.clone(), json!(quantity))).collect();
        positions.insert("CASH".to_owned(), json!(self.cash));
        let mut record = json!({ "date": date, "id": self.records.len(), "positions": positions });
        if let Some((action, symbol, amount)) = action {
            record["this_action"] = json!({ "action": action, "symbol": symbol, "amount": amount });
        }
        self.records.push(record);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_day_of_a_folder_comes_out_equal_and_a_changed_one_is_told_with_its_reason() {
    let system = System::builder(Shape::OneProcess).start().await;
    let url = &system.client.status_url;
    let folder = Folder::new();
    let agents =
        ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];
    for agent in agents {
        folder.write_positions(agent, &folder.records(agent));
    }
    for symbol in ["NVDA", "AAPL", "QQQ"] {
        folder.write_prices(symbol);
    }

    let said = |role: &str, content: &str| {
        let message = json!({ "role": role, "content": content });
        format!(
            "{}\n",
            json!({ "timestamp": "2025-11-01T10:00:00", "signature": "gpt-5", "new_messages": [message] })
        )
    };
    let talk = [
        said("user", "Please analyze and update today's (2025-10-06) positions."),
        said("assistant", "Semiconductors lead: I buy."),
        said("user", "Tool results: {\"CASH\": 1}"),
    ];
    folder.write("data/agent_data/gpt-5/log/2025-10-06/log.jsonl", &talk.concat());

    let looked = modelday(url, &["import", "hkuds", folder.path(), "--dry-run"]);
    let imported = modelday(url, &["import", "hkuds", folder.path()]);
    let again = modelday(url, &["import", "hkuds", folder.path(), "--json"]);

    assert_eq!(looked.code, Some(0), "{looked:?}");
    assert!(looked.out.contains("Nothing was stored or run"), "{looked:?}");
    assert_eq!(imported.code, Some(0), "{imported:?}");
    assert!(imported.out.contains("6 agents and 3 files of prices"), "{imported:?}");
    assert!(imported.out.contains("Bars: 300 new, 0 unchanged, 0 replaced"), "{imported:?}");
    assert!(
        imported
            .out
            .ends_with("Every day is equal: 126 of 126, to every share and a millionth of a dollar.\n"),
        "{imported:?}"
    );
    assert!(imported.out.contains("Conversations: 1 days"), "{imported:?}");
    let jobs = system.client.get_ok("/jobs?experiment=hkuds&limit=5").await;
    let first = jobs["jobs"].as_array().unwrap().last().unwrap()["job_id"].as_str().unwrap().to_owned();
    let day = system.client.model_day(&first, "hkuds-gpt-5", "2025-10-06").await;
    let turns: Vec<_> =
        day["transcript"].as_array().unwrap().iter().map(|turn| (&turn["role"], &turn["step"])).collect();
    let (user, assistant, tool) = (json!("user"), json!("assistant"), json!("tool"));
    assert_eq!(turns, [(&user, &json!(0)), (&assistant, &json!(1)), (&tool, &json!(1))], "{day}");
    assert_eq!(day["transcript"][1]["content"], "Semiconductors lead: I buy.");
    let report = again.json();
    assert_eq!(report["bars"], json!({ "inserted": 0, "unchanged": 300, "replaced": 0 }));
    assert_eq!(report["agents"][0]["equal"], 21, "a second import runs nothing and compares again");

    // A day's last order at another price than the open; the next day goes on as if nothing had been.
    let mut records = folder.records("qwen3-max");
    let place = records.iter().rposition(|record| record["date"] == "2025-10-16").unwrap();
    let cash = records[place]["positions"]["CASH"].as_f64().unwrap();
    records[place]["positions"]["CASH"] = json!(cash + 5.0);
    folder.write_positions("qwen3-max", &records);
    let changed = modelday(
        url,
        &[
            "import",
            "hkuds",
            &format!("{}/data/agent_data/qwen3-max", folder.path()),
            "--experiment",
            "changed",
        ],
    );

    assert_eq!(changed.code, Some(3), "{changed:?}");
    assert!(changed.out.contains("hkuds-qwen3-max on 2025-10-16 differs"), "{changed:?}");
    assert!(changed.out.contains("  because buy 5 MU was filled at "), "{changed:?}");
    assert!(changed.out.contains("\n20 of 21 days are equal, 1 differ.\n"), "{changed:?}");
}

#[test]
fn what_modelday_cannot_run_is_left_out_with_the_reason_and_odd_files_are_read() {
    let (folder, empty) = (Folder::new(), Folder::new());
    let record = |date: &str, id: u64, action: Value, positions: Value| json!({ "date": date, "id": id, "this_action": action, "positions": positions });
    let first = |positions: Value| json!({ "date": "2025-10-01", "id": 0, "positions": positions });
    folder.write_positions(
        "by-the-hour",
        &[
            first(json!({ "CASH": 1.0 })),
            record("2025-10-01 10:00:00", 1, json!({ "action": "no_trade" }), json!({ "CASH": 1.0 })),
        ],
    );
    folder.write_positions(
        "fractions",
        &[
            first(json!({ "CASH": 50_000.0 })),
            record(
                "2025-10-02",
                1,
                json!({ "action": "buy_crypto", "symbol": "BTC-USDT", "amount": 0.5 }),
                json!({ "CASH": 1.0, "BTC-USDT": 0.5 }),
            ),
        ],
    );
    folder.write_positions(
        "shanghai",
        &[
            first(json!({ "CASH": 100_000.0 })),
            record(
                "2025-10-10",
                1,
                json!({ "action": "buy", "symbol": "601899.SH", "amount": 600 }),
                json!({ "CASH": 81_100.0, "601899.SH": 600 }),
            ),
        ],
    );
    folder.write_positions("rich", &[first(json!({ "CASH": 1.0, "AAPL": 3 }))]);
    let torn = format!(
        "{}\n\n{{\"date\": \"2025-10-02\", \"id\": 1, \"posi",
        first(json!({ "CASH": 500, "AAPL": 0 }))
    );
    folder.write("data/agent_data/torn/position/position.jsonl", &torn);

    let ran = modelday(NOWHERE, &["import", "hkuds", folder.path(), "--dry-run"]);
    let nothing = modelday(NOWHERE, &["import", "hkuds", empty.path()]);

    for line in [
        "left out: by-the-hour trades within the day (2025-10-01 10:00:00); Modelday trades once a day, at the open",
        "left out: fractions trades crypto (buy_crypto), on all days of the week",
        "left out: rich begins with 3 AAPL; portfolios of Modelday begin with cash alone",
        "left out: shanghai trades 601899.SH, which is no symbol of a US exchange",
        "hkuds-torn: its last line, 3, is not complete and was left out",
    ] {
        assert!(ran.out.contains(line), "{line:?} is not in {ran:?}");
    }
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.err.contains("has no position.jsonl"), "{nothing:?}");
}
