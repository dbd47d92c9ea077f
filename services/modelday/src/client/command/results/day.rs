//! The results of one date: a row for each model-day, then the trades.

use std::fmt::Write as _;

use serde::Deserialize;

use super::portfolio;
use crate::terminal::grid::{Grid, exact, number, words};
use crate::terminal::table::{Table, cell, shown_as};

#[derive(Deserialize)]
pub(super) struct Day {
    date: String,
    model: String,
    #[serde(default)]
    trial: u32,
    daily_metrics: DayMetrics,
    trades: Vec<Trade>,
    #[serde(default)]
    refused_orders: Vec<RefusedOrder>,
    final_position: Position,
    reasoning: Option<Reasoning>,
    #[serde(default)]
    stale: bool,
}

#[derive(Deserialize)]
struct DayMetrics {
    profit: f64,
    return_pct: f64,
}

#[derive(Deserialize)]
struct Trade {
    action_type: String,
    symbol: String,
    quantity: u64,
    price: f64,
    #[serde(default)]
    fee: f64,
}

#[derive(Deserialize)]
struct RefusedOrder {
    action_type: String,
    symbol: String,
    quantity: String,
    code: String,
}

#[derive(Deserialize)]
struct Position {
    holdings: Vec<Holding>,
    cash: f64,
    portfolio_value: f64,
}

#[derive(Deserialize)]
struct Holding {
    symbol: String,
    quantity: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reasoning {
    Summary(String),
    Full(Vec<Message>),
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
    #[serde(default)]
    name: Option<String>,
}

/// What follows the table: trades, the holdings of a single model, and what the models said.
pub(super) fn details(days: &[Day], width: usize) -> String {
    let mut text = String::new();
    if days.iter().any(|day| !day.trades.is_empty() || !day.refused_orders.is_empty()) {
        text.push('\n');
        text.push_str(&trades_table(days, width));
    }
    // The holdings of several models would fill pages; --json has them.
    if let [day] = days {
        text.push_str(&holdings(&day.final_position));
    }
    for day in days {
        if let Some(reasoning) = &day.reasoning {
            let _ = write!(
                text,
                "\n{} on {}\n{}",
                portfolio::name(&day.model, day.trial),
                day.date,
                messages(reasoning)
            );
        }
    }
    text
}

/// A row for each model-day.
pub(super) fn table(days: &[Day]) -> Table {
    let columns = [
        words("Model"),
        exact("Date"),
        number("Value"),
        number("Cash"),
        number("Profit"),
        number("Return"),
        number("Trades"),
        exact(""),
    ];
    let mut table = Table::new(columns).with_more([number("Trial")]);
    let dollars = |value| shown_as(Some(value), |value: &f64| format!("{value:.2}"));
    for day in days {
        let name = portfolio::name(&day.model, day.trial);
        table.row([
            shown_as(Some(day.model.clone()), |_| name),
            cell(day.date.clone()),
            dollars(day.final_position.portfolio_value),
            dollars(day.final_position.cash),
            shown_as(Some(day.daily_metrics.profit), |profit| format!("{profit:+.2}")),
            shown_as(Some(day.daily_metrics.return_pct), |percent| format!("{percent:+.2} %")),
            cell(day.trades.len().to_string()),
            cell(if day.stale { "stale" } else { "" }),
            cell(day.trial.to_string()),
        ]);
    }
    table
}

fn trades_table(days: &[Day], width: usize) -> String {
    let mut grid = Grid::new([
        words("Model"),
        exact("Order"),
        exact("Symbol"),
        number("Quantity"),
        number("Price"),
        number("Fee"),
        words(""),
    ]);
    for day in days {
        let model = portfolio::name(&day.model, day.trial);
        for Trade { action_type, symbol, quantity, price, fee } in &day.trades {
            let (price, fee) = (format!("{price:.2}"), format!("{fee:.2}"));
            let (order, symbol) = (action_type.clone(), symbol.clone());
            grid.row([model.clone(), order, symbol, quantity.to_string(), price, fee, String::new()]);
        }
        for RefusedOrder { action_type, symbol, quantity, code } in &day.refused_orders {
            let (order, symbol, none) = (action_type.clone(), symbol.clone(), || "-".to_owned());
            grid.row([
                model.clone(),
                order,
                symbol,
                quantity.clone(),
                none(),
                none(),
                format!("refused: {code}"),
            ]);
        }
    }
    grid.text(width)
}

fn holdings(position: &Position) -> String {
    if position.holdings.is_empty() {
        return String::new();
    }
    let held: Vec<String> =
        position.holdings.iter().map(|held| format!("{} {}", held.quantity, held.symbol)).collect();
    format!("\nHoldings: {}\n", held.join(", "))
}

fn messages(reasoning: &Reasoning) -> String {
    let mut text = String::new();
    match reasoning {
        Reasoning::Summary(summary) => {
            let _ = writeln!(text, "  {summary}");
        }
        Reasoning::Full(messages) => {
            for Message { role, content, name } in messages {
                let sender = name.as_ref().map_or_else(|| role.clone(), |name| format!("{role} {name}"));
                let _ = writeln!(text, "  {sender}: {}", content.replace('\n', "\n    "));
            }
        }
    }
    text
}
