//! Monthly returns as coloured cells.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::format::{escaped, signed_percent};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Months up to which all portfolios are in one table.
const MAX_COLUMNS: usize = 12;

/// A portfolio's name and its returns by year and month.
pub(super) type Monthly = (String, BTreeMap<(i32, u32), f64>);

/// The months as tables: of a short range one with a row for each portfolio, else one for each portfolio with a row for
/// each year.
pub(super) fn heat_map(portfolios: &[Monthly]) -> String {
    let months: BTreeSet<(i32, u32)> =
        portfolios.iter().flat_map(|(_, returns)| returns.keys().copied()).collect();
    // A colour means the same in the whole report.
    let largest = portfolios
        .iter()
        .flat_map(|(_, returns)| returns.values())
        .fold(0.01_f64, |largest, gain| largest.max(gain.abs()));
    if months.len() <= MAX_COLUMNS {
        return one_table(portfolios, &months, largest);
    }
    portfolios.iter().map(|portfolio| of_years(portfolio, largest)).collect()
}

fn one_table(portfolios: &[Monthly], months: &BTreeSet<(i32, u32)>, largest: f64) -> String {
    let mut html = "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th>Model</th>".to_owned();
    for (year, month) in months {
        let _ = write!(html, "<th>{} {year}</th>", month_name(*month));
    }
    html.push_str("</tr></thead><tbody>");
    for (name, returns) in portfolios {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escaped(name));
        for month in months {
            html.push_str(&cell(returns.get(month).copied(), largest));
        }
        html.push_str("</tr>");
    }
    html + "</tbody></table></div>"
}

fn of_years((name, returns): &Monthly, largest: f64) -> String {
    let years: BTreeSet<i32> = returns.keys().map(|(year, _)| *year).collect();
    let mut html = format!(
        "<h3>{}</h3><div class=\"scroll\"><table class=\"heat\"><thead><tr><th>Year</th>",
        escaped(name)
    );
    for month in MONTHS {
        let _ = write!(html, "<th>{month}</th>");
    }
    html.push_str("<th>All</th></tr></thead><tbody>");
    for year in years {
        let _ = write!(html, "<tr><th scope=\"row\">{year}</th>");
        let mut growth = 1.0;
        for month in 1..=12 {
            let gain = returns.get(&(year, month)).copied();
            growth *= 1.0 + gain.unwrap_or_default();
            html.push_str(&cell(gain, largest));
        }
        html.push_str(&cell(Some(growth - 1.0), largest));
        html.push_str("</tr>");
    }
    html + "</tbody></table></div>"
}

/// A cell, the stronger coloured the larger its return.
fn cell(gain: Option<f64>, largest: f64) -> String {
    let Some(gain) = gain else { return "<td></td>".to_owned() };
    let class = if gain < 0.0 { "loss" } else { "gain" };
    let strength = (gain.abs() / largest).min(1.0) * 55.0;
    format!("<td class=\"{class}\" style=\"--strength:{strength:.0}%\">{}</td>", signed_percent(gain))
}

/// The short name of a month from 1.
pub(super) fn month_name(month: u32) -> &'static str {
    MONTHS.get(usize::try_from(month).unwrap_or_default().wrapping_sub(1)).copied().unwrap_or_default()
}
