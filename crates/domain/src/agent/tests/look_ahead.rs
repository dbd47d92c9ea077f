//! Nothing after the open reaches an agent.

use serde_json::json;

use super::fixture::*;
use crate::agent::{Dialect, ModelResponse};

/// Another future: every bar after the open of 2025-10-02 is different, and there are more of them.
fn poisoned(mut world: World) -> World {
    let changes = [
        ("AAPL", "2025-10-02", bar(["100", "9000", "1", "8999"], 999)),
        ("AAPL", "2025-10-03", bar(["7000", "7001", "6999", "7000"], 999)),
        ("AAPL", "2025-10-06", bar(["6000", "6001", "5999", "6000"], 999)),
        ("MSFT", "2025-10-02", bar(["256.575", "9000", "1", "2"], 999)),
        ("MSFT", "2025-10-03", bar(["3", "4", "2", "3"], 999)),
    ];
    world.table.extend(changes.map(|(name, date, bar)| (symbol(name), day(date), bar)));
    world
}

/// A model that looks everywhere it can, and trades.
fn curious() -> Vec<ModelResponse> {
    let dates = ["2025-09-30", "2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "9999-12-31"];
    let looks = dates.map(|date| format!(r#"{{"symbol":"AAPL","date":"{date}"}}"#));
    let looks: Vec<_> = looks.iter().map(|arguments| ("get_price_local", arguments.as_str())).collect();
    vec![
        call_tools(&looks),
        call_tools(&[
            ("get_price_history", r#"{"symbol":"AAPL","days":100}"#),
            ("get_price_history", r#"{"symbol":"MSFT","days":1}"#),
            ("buy", r#"{"symbol":"AAPL","amount":3}"#),
            ("buy", r#"{"symbol":"MSFT","amount":3}"#),
            ("sell", r#"{"symbol":"AAPL","amount":1}"#),
            ("get_position", "{}"),
        ]),
        says("thinking"),
        done(),
    ]
}

#[test]
fn another_future_changes_no_byte_of_the_day() {
    for dialect in
        [Dialect::ChatCompletions, Dialect::Messages, Dialect::Responses, Dialect::Agent, Dialect::Mcp]
    {
        let world = World { dialect, ..World::new().with(json!({"search": true})) };
        let other = poisoned(World { dialect, ..World::new().with(json!({"search": true})) });
        let (market, other_market) = (world.market(), other.market());

        let (requests, ended) = world.play(&market, &curious());
        let (other_asks, other_ended) = other.play(&other_market, &curious());

        assert_eq!(requests.len(), 4);
        assert_eq!(requests, other_asks, "{dialect:?}");
        assert_eq!(ended.transcript, other_ended.transcript, "{dialect:?}");
        assert_eq!(ended.summary, other_ended.summary, "{dialect:?}");
        let closes = [ended, other_ended].map(|ended| ended.book.close().unwrap().value_at_close);
        assert_ne!(closes[0], closes[1], "the futures do differ");
    }
}
