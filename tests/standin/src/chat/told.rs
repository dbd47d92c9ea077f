//! What requests tell a model, in both protocols.

use serde_json::Value;

use super::answer::Asked;
use super::trader::{Known, decimal};

/// What a request for chat completions tells: prices in the system prompt, answers of tools.
pub(super) fn by_chat(asked: &Asked, request: &Value) -> Known {
    let mut known = Known { model: asked.model.clone(), date: asked.date.clone(), ..Known::default() };
    for message in request["messages"].as_array().into_iter().flatten() {
        let Some(text) = message["content"].as_str() else { continue };
        match message["role"].as_str() {
            Some("system") => known.symbols = priced(text),
            Some("tool") => answer(&mut known, text),
            _ => {}
        }
    }
    known
}

/// What a step of the agents' protocol tells.
pub(super) fn by_observation(request: &Value) -> Option<(Known, usize)> {
    let text = |name: &str| Some(request.get(name)?.as_str()?.to_owned());
    let step = usize::try_from(request.get("step")?.as_u64()?).ok()?.checked_sub(1)?;
    let observation = request.get("observation")?;
    let opens = observation.get("opens")?.as_object()?;
    let mut known = Known { model: text("model")?, date: text("date")?, ..Known::default() };
    known.symbols = opens.keys().cloned().collect();
    known.open = opens.get(known.favourite()).and_then(decimal);
    known.cash = observation.get("cash").and_then(decimal);
    known.holdings = whole_numbers(observation.get("holdings")?);
    Some((known, step))
}

/// The symbols of lines as `AAPL: 255.45`, without repetition.
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

fn answer(known: &mut Known, text: &str) {
    let Ok(answer) = serde_json::from_str::<Value>(text) else { return };
    if let Some(cash) = answer.get("CASH") {
        known.cash = decimal(cash);
        known.holdings = whole_numbers(&answer);
        known.holdings.remove("CASH");
    }
    if let Some(open) = answer.pointer("/ohlcv/open") {
        known.open = decimal(open);
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
    fn a_chat_tells_prices_position_and_open() {
        let request = json!({"model": "m", "messages": [
            {"role": "system", "content": "Cash\nCASH: 12.5\nAAPL: 100\nMSFT: (none)\nBRK.B: 3.5\nAAPL: 101\nNote: 5"},
            {"role": "user", "content": "today's (2025-10-02) positions."},
            {"role": "assistant", "content": null},
            {"role": "tool", "content": "{\"CASH\":12.5,\"AAPL\":3}"},
            {"role": "tool", "content": "{\"symbol\":\"AAPL\",\"ohlcv\":{\"open\":101.25}}"},
        ]});

        let known = by_chat(&Asked::of(&request).unwrap(), &request);

        assert_eq!(known.symbols, ["AAPL", "BRK.B"]);
        assert_eq!((known.cash, known.open), ("12.5".parse().ok(), "101.25".parse().ok()));
        assert_eq!(known.holdings, [("AAPL".to_owned(), 3)].into());
    }

    #[test]
    fn a_step_tells_the_same_in_one_request() {
        let request = json!({"model": "m", "date": "2025-10-02", "step": 2, "observation": {
            "cash": 500.5, "holdings": {"MSFT": 2}, "opens": {"AAPL": 100.5},
        }});

        let (known, step) = by_observation(&request).unwrap();

        assert_eq!(step, 1);
        assert_eq!((known.favourite(), known.open), ("AAPL", "100.5".parse().ok()));
        assert_eq!((known.cash, known.holdings), ("500.5".parse().ok(), [("MSFT".to_owned(), 2)].into()));
        assert_eq!(by_observation(&json!({})), None);
    }
}
