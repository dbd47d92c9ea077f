//! Reads the facts of a day from requests of both protocols.

use serde_json::Value;

use super::completion::ChatRequest;
use super::trader::{DayFacts, decimal};

/// Reads a request for a completion: prices from the system prompt, the position and the open from tool results.
pub(super) fn from_chat(request: &ChatRequest, body: &Value) -> DayFacts {
    let mut facts =
        DayFacts { model: request.model.clone(), date: request.date.clone(), ..DayFacts::default() };
    for message in body["messages"].as_array().into_iter().flatten() {
        let Some(text) = message["content"].as_str() else { continue };
        match message["role"].as_str() {
            Some("system") => facts.symbols = priced(text),
            Some("tool") => add_tool_result(&mut facts, text),
            _ => {}
        }
    }
    facts
}

/// Reads a step of the agents' protocol; with its number, counted from 0.
pub(super) fn from_step(request: &Value) -> Option<(DayFacts, usize)> {
    let text = |name: &str| Some(request.get(name)?.as_str()?.to_owned());
    let step = usize::try_from(request.get("step")?.as_u64()?).ok()?.checked_sub(1)?;
    let observation = request.get("observation")?;
    let opens = observation.get("opens")?.as_object()?;
    let mut facts = DayFacts { model: text("model")?, date: text("date")?, ..DayFacts::default() };
    facts.symbols = opens.keys().cloned().collect();
    facts.open = opens.get(facts.favourite()).and_then(decimal);
    facts.cash = observation.get("cash").and_then(decimal);
    facts.holdings = whole_numbers(observation.get("holdings")?);
    Some((facts, step))
}

/// The symbols of lines like `AAPL: 255.45`, each once.
fn priced(prompt: &str) -> Vec<String> {
    let mut symbols: Vec<String> = Vec::new();
    for line in prompt.lines() {
        let Some((name, price)) = line.split_once(": ") else { continue };
        let is_symbol = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || ".-".contains(c));
        if is_symbol
            && name != "CASH"
            && price.parse::<f64>().is_ok()
            && !symbols.iter().any(|known| known == name)
        {
            symbols.push(name.to_owned());
        }
    }
    symbols
}

fn add_tool_result(facts: &mut DayFacts, text: &str) {
    let Ok(result) = serde_json::from_str::<Value>(text) else { return };
    if let Some(cash) = result.get("CASH") {
        facts.cash = decimal(cash);
        facts.holdings = whole_numbers(&result);
        facts.holdings.remove("CASH");
    }
    if let Some(open) = result.pointer("/ohlcv/open") {
        facts.open = decimal(open);
    }
}

fn whole_numbers(object: &Value) -> std::collections::BTreeMap<String, u64> {
    let numbers = object.as_object().into_iter().flatten();
    numbers.filter_map(|(name, number)| Some((name.clone(), number.as_u64()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_chat_has_prices_position_and_open() {
        let request = json!({"model": "m", "messages": [
            {"role": "system", "content": "Cash\nCASH: 12.5\nAAPL: 100\nMSFT: (none)\nBRK.B: 3.5\nAAPL: 101\nNote: 5"},
            {"role": "user", "content": "today's (2025-10-02) positions."},
            {"role": "assistant", "content": null},
            {"role": "tool", "content": "{\"CASH\":12.5,\"AAPL\":3}"},
            {"role": "tool", "content": "{\"symbol\":\"AAPL\",\"ohlcv\":{\"open\":101.25}}"},
        ]});

        let facts = from_chat(&ChatRequest::parse(&request).unwrap(), &request);

        assert_eq!(facts.symbols, ["AAPL", "BRK.B"]);
        assert_eq!((facts.cash, facts.open), ("12.5".parse().ok(), "101.25".parse().ok()));
        assert_eq!(facts.holdings, [("AAPL".to_owned(), 3)].into());
    }

    #[test]
    fn a_step_has_the_same_in_one_request() {
        let request = json!({"model": "m", "date": "2025-10-02", "step": 2, "observation": {
            "cash": 500.5, "holdings": {"MSFT": 2}, "opens": {"AAPL": 100.5},
        }});

        let (facts, step) = from_step(&request).unwrap();

        assert_eq!(step, 1);
        assert_eq!((facts.favourite(), facts.open), ("AAPL", "100.5".parse().ok()));
        assert_eq!((facts.cash, facts.holdings), ("500.5".parse().ok(), [("MSFT".to_owned(), 2)].into()));
        assert_eq!(from_step(&json!({})), None);
    }
}
