//! A tool that could do nothing with its call.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Diagnosis, diagnosis};
use crate::agent::tool::{Tool, parameters};

/// What is wrong with the call of a tool, by its result; `None` when it was of use.
pub fn of_tool_result(name: &str, arguments: &str, result: &str) -> Option<Diagnosis> {
    let result: Value = serde_json::from_str(result).ok()?;
    let error = result.get("error")?.as_str()?;
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    let Some(tool) = Tool::offered(true).find(|tool| tool.name() == name) else {
        let known = Tool::offered(false).map(Tool::name).collect::<Vec<_>>().join(", ");
        let problem = if name.is_empty() { "a call names no tool" } else { error };
        return Some(diagnosis(
            problem.to_owned(),
            format!("one of {known}"),
            "correct the tool's name".to_owned(),
        ));
    };
    let amount = arguments.get("amount").and_then(Value::as_u64);
    let decimal = |name: &str| result.get(name)?.to_string().parse::<Decimal>().ok();
    let (expected, fix) = match error {
        "Insufficient cash" => {
            let affordable = decimal("cash_available")
                .zip(decimal("required_cash"))
                .zip(amount)
                .and_then(|((cash, cost), amount)| Some(cash.checked_div(cost)? * Decimal::from(amount)))
                .map(|most| most.floor());
            match affordable {
                Some(most) => {
                    (format!("an amount of at most {most}"), "buy fewer shares, or sell others first")
                }
                None => (String::new(), "buy fewer shares, or sell others first"),
            }
        }
        "Insufficient shares" => {
            (format!("an amount of at most {}", result["have"]), "sell only what get_position shows")
        }
        "Quantity must be an integer" | "Quantity must be positive" => (
            "a whole number of shares, 1 or more".to_owned(),
            "round the amount down, and leave out orders of 0",
        ),
        _ if error.starts_with("No position for") => {
            ("a symbol of get_position".to_owned(), "sell only what get_position shows")
        }
        _ if error.contains("not found on") || error.contains("not found before") => (
            "a symbol of the day's universe that has a price on that day".to_owned(),
            "take symbols of observation.opens or of the prompt, and sessions as dates",
        ),
        _ if error.contains("is halted") => {
            ("a symbol that is traded today".to_owned(), "leave the symbol out, today")
        }
        _ if error.contains("are not known") => (
            "a date up to today".to_owned(),
            "ask for no later day: the open of today is the last known price",
        ),
        // Arguments that cannot be used.
        _ => (parameters(tool).to_string(), "correct the arguments"),
    };
    Some(diagnosis(format!("{name} could not be done: {error}"), expected, fix.to_owned()))
}
