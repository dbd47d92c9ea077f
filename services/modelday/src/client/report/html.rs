//! The report as a page without any reference to another file.

use std::fmt::Write as _;

use super::chart::{Chart, style_of, style_of_benchmark};
use super::definitions::{FIGURES, METHOD};
use super::fetch::{Benchmark, Report, Row};
use super::format::{count, dollars, escaped, percent, signed_percent};
use super::heat_map::heat_map;
use super::sections::Activity;

/// Trades of a portfolio that are listed.
const MAX_TRADES: usize = 500;

/// The whole page; `made` says when and by which version.
pub(crate) fn html(report: &Report, made: &str) -> String {
    let title = escaped(&report.title());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title} · Modelday report</title><style>{}</style></head><body><main>",
        include_str!("style.css")
    );
    page.push_str(&head(report, &title, made));
    page.push_str(&cards(report));
    page.push_str(&summary(report));
    let dates = report.dates();
    section(
        &mut page,
        "Value and drawdown",
        &(legend(report, &report.benchmarks) + &charts(&report.value_charts(&dates))),
    );
    section(&mut page, "Months", &heat_map(&report.months()));
    if let Some(window) = report.window() {
        let few = if window < 21 { "; so few say little" } else { "" };
        let text = format!("<p class=\"note\">Over {window} sessions each{few}.</p>");
        section(
            &mut page,
            "Rolling figures",
            &(text + &legend(report, &[]) + &charts(&report.rolling_charts(&dates, window))),
        );
    }
    let activities = report.activities();
    section(&mut page, "Trades", &(activity_table(&activities) + &trades(report)));
    section(&mut page, "Costs", &costs(&activities));
    section(&mut page, "Can they be told apart?", &comparisons(report));
    section(&mut page, "Method and definitions", &method(report));
    page + "</main></body></html>\n"
}

fn section(page: &mut String, heading: &str, content: &str) {
    if !content.is_empty() {
        let _ = write!(page, "<section><h2>{heading}</h2>{content}</section>");
    }
}

fn head(report: &Report, title: &str, made: &str) -> String {
    let of = match &report.job {
        Some(job) => format!("Job <code>{}</code>", escaped(job)),
        None => format!("Experiment <b>{}</b>", escaped(&report.experiment)),
    };
    format!(
        "<header><p class=\"brand\">Modelday report</p><h1>{title}</h1><p>{} to {} · {} sessions · {of}</p>\
         <p class=\"note\">{}</p></header>",
        escaped(&report.start),
        escaped(&report.end),
        report.dates().len(),
        escaped(made)
    )
}

/// The figures that one looks for first: those of the portfolio that is ahead.
fn cards(report: &Report) -> String {
    let Some(row) = report.rows.iter().find(|row| row.is_portfolio()) else { return String::new() };
    let several = report.rows.iter().filter(|row| row.is_portfolio()).count() > 1;
    let ahead = if several {
        format!("<p class=\"note\">Ahead: <b>{}</b></p>", escaped(&report.name(row)))
    } else {
        String::new()
    };
    let mut html = ahead + "<div class=\"cards\">";
    for name in ["return", "sharpe", "max_drawdown", "final_value"] {
        let Some(definition) = FIGURES.iter().find(|definition| definition.name == name) else { continue };
        let value = row.figure(name);
        let class = match (name, value) {
            ("return", Some(value)) if value < 0.0 => " class=\"down\"",
            ("return", Some(_)) => " class=\"up\"",
            _ => "",
        };
        let text = value.map_or("–".to_owned(), |value| definition.written(value));
        let _ = write!(html, "<div><span>{}</span><b{class}>{text}</b></div>", definition.heading);
    }
    html + "</div>"
}

fn summary(report: &Report) -> String {
    let mut html =
        "<section><h2>Summary</h2><div class=\"scroll\"><table id=\"summary\"><thead><tr><th>Model</th>"
            .to_owned();
    for definition in &FIGURES {
        let _ = write!(
            html,
            "<th class=\"n\" title=\"{}\">{}</th>",
            escaped(definition.text),
            definition.heading
        );
    }
    html.push_str("</tr></thead><tbody>");
    for (place, row) in report.rows.iter().enumerate() {
        html.push_str(&summary_row(report, place, row));
    }
    html.push_str("</tbody></table></div>");
    for row in &report.rows {
        let stale = row.figure("stale_days").unwrap_or_default();
        if stale > 0.0 {
            let _ = write!(
                html,
                "<p class=\"warning\">{stale:.0} days of {} are stale: they ran before days or prices that changed since. \
                 Run them again with <code>--reprocess-stale</code> before you compare.</p>",
                escaped(&report.name(row))
            );
        }
    }
    html + "</section>"
}

fn summary_row(report: &Report, place: usize, row: &Row) -> String {
    let name = escaped(&report.name(row));
    let (class, mark) = if row.is_portfolio() {
        ("", format!("<i class=\"mark {}\"></i>", style_of(report.place(place))))
    } else {
        (" class=\"benchmark\"", String::new())
    };
    let benchmark = if row.is_portfolio() { "" } else { " <small>benchmark</small>" };
    let mut html = format!("<tr{class}><th scope=\"row\">{mark}{name}{benchmark}</th>");
    for definition in &FIGURES {
        match row.figure(definition.name) {
            // The whole number too, for programs.
            Some(value) => {
                let _ = write!(
                    html,
                    "<td class=\"n\" data-model=\"{name}\" data-figure=\"{}\" data-value=\"{value}\">{}</td>",
                    definition.name,
                    definition.written(value)
                );
            }
            None => html.push_str("<td class=\"n none\">–</td>"),
        }
    }
    html + "</tr>"
}

fn legend(report: &Report, benchmarks: &[Benchmark]) -> String {
    let portfolios = report.rows.iter().enumerate().filter(|(_, row)| row.is_portfolio());
    let portfolios = portfolios.map(|(place, row)| (style_of(report.place(place)), report.name(row)));
    let benchmarks = benchmarks.iter().enumerate();
    let benchmarks = benchmarks.map(|(place, known)| (style_of_benchmark(place), known.name.clone()));
    let items = portfolios.chain(benchmarks);
    let items =
        items.map(|(style, name)| format!("<li><i class=\"mark {style}\"></i>{}</li>", escaped(&name)));
    format!("<ul class=\"legend\">{}</ul>", items.collect::<String>())
}

fn charts(charts: &[Chart<'_>]) -> String {
    charts.iter().map(Chart::html).collect()
}

fn activity_table(activities: &[Activity]) -> String {
    let mut html = "<div class=\"scroll\"><table><thead><tr><th>Model</th><th class=\"n\">Buys</th><th class=\"n\">Sells</th>\
                    <th class=\"n\">Dollars traded</th><th>Most traded</th></tr></thead><tbody>"
        .to_owned();
    for Activity { name, buys, sells, dollars: traded, symbols, .. } in activities {
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{buys}</td><td class=\"n\">{sells}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escaped(name),
            dollars(*traded),
            escaped(&symbols.join(", "))
        );
    }
    html + "</tbody></table></div>"
}

/// Every trade, folded away; of very many the last.
fn trades(report: &Report) -> String {
    let mut html = String::new();
    for row in report.rows.iter().filter(|row| row.is_portfolio()) {
        let all: Vec<_> = report.trades_of(row).collect();
        if all.is_empty() {
            continue;
        }
        let listed = &all[all.len().saturating_sub(MAX_TRADES)..];
        let name = escaped(&report.name(row));
        let _ = write!(html, "<details><summary>{} of {name}</summary>", trades_in_words(all.len()));
        if listed.len() < all.len() {
            let _ = write!(
                html,
                "<p class=\"note\">The last {MAX_TRADES}; <code>modelday export --trades</code> has all.</p>"
            );
        }
        html.push_str(
            "<div class=\"scroll\"><table class=\"trades\"><thead><tr><th>Date</th><th>Order</th><th>Symbol</th><th class=\"n\">Shares</th>\
             <th class=\"n\">Price</th><th class=\"n\">Dollars</th><th class=\"n\">Fee</th></tr></thead><tbody>",
        );
        for trade in listed {
            let _ = write!(
                html,
                "<tr><td>{}</td><td class=\"{1}\">{1}</td><td>{2}</td><td class=\"n\">{3}</td><td class=\"n\">{4}</td><td class=\"n\">{5}</td><td class=\"n\">{6}</td></tr>",
                escaped(&trade.date),
                escaped(&trade.action_type),
                escaped(&trade.symbol),
                count(trade.quantity),
                dollars(trade.price),
                dollars(trade.dollars()),
                dollars(trade.fee)
            );
        }
        html.push_str("</tbody></table></div></details>");
    }
    html
}

fn trades_in_words(count: usize) -> String {
    if count == 1 { "1 trade".to_owned() } else { format!("{count} trades") }
}

fn costs(activities: &[Activity]) -> String {
    if activities.iter().all(|activity| activity.fees <= 0.0 && activity.agent.is_none()) {
        return "<p>None: no model is configured with fees, and none is an agent.</p>".to_owned();
    }
    let mut html = "<div class=\"scroll\"><table><thead><tr><th>Model</th><th class=\"n\">Fees</th><th class=\"n\">Of dollars traded</th>\
                    <th class=\"n\">Calls</th><th class=\"n\">Tokens</th><th class=\"n\">Model's cost</th></tr></thead><tbody>"
        .to_owned();
    for Activity { name, dollars: traded, fees, agent, .. } in activities {
        let share = if *traded > 0.0 { percent(fees / traded) } else { "–".to_owned() };
        let [calls, tokens, cost] = match agent {
            Some(agent) => [
                count(agent.calls),
                count(agent.tokens),
                agent.dollars.map_or("unknown".to_owned(), |cost| format!("{cost:.4}")),
            ],
            None => ["–", "–", "–"].map(str::to_owned),
        };
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{share}</td><td class=\"n\">{calls}</td><td class=\"n\">{tokens}</td><td class=\"n\">{cost}</td></tr>",
            escaped(name),
            dollars(*fees)
        );
    }
    html + "</tbody></table></div>"
}

fn comparisons(report: &Report) -> String {
    if report.comparisons.is_empty() {
        let several = report.rows.iter().filter(|row| row.is_portfolio()).count() > 1;
        return if several {
            "<p>One run of each says little: the same model may do better or worse on another day. Run several trials \
             (<code>trials</code> of a model) to see whether the difference is more than chance.</p>"
                .to_owned()
        } else {
            String::new()
        };
    }
    let mut html = "<ul>".to_owned();
    for comparison in &report.comparisons {
        let verdict = match (comparison.distinguishable, &comparison.reason) {
            (Some(true), _) => "can be told apart".to_owned(),
            (Some(false), _) => "cannot be told apart".to_owned(),
            (None, reason) => format!("not known: {}", reason.as_deref().unwrap_or("no reason is given")),
        };
        let difference =
            comparison.difference.map(|value| format!(", a difference of {}", signed_percent(value)));
        let chance = comparison.p_adjusted.map(|p| format!(", p = {p:.3} adjusted for all pairs"));
        let _ = write!(
            html,
            "<li><b>{}</b> and <b>{}</b>: {}{}{}</li>",
            escaped(&comparison.a),
            escaped(&comparison.b),
            escaped(&verdict),
            difference.unwrap_or_default(),
            chance.unwrap_or_default()
        );
    }
    html + "</ul>"
}

fn method(report: &Report) -> String {
    let mut html = String::new();
    for paragraph in METHOD {
        let _ = write!(html, "<p>{}</p>", code(&escaped(paragraph)));
    }
    if let Some(benchmark) = &report.benchmark {
        let _ = write!(
            html,
            "<p>The benchmark of alpha and beta is {}. Benchmarks are measured from the close of the first session to that \
             of the last.</p>",
            escaped(benchmark)
        );
    }
    html.push_str("<dl>");
    for definition in &FIGURES {
        let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", definition.heading, escaped(definition.text));
    }
    html.push_str("</dl><h3>Bundles</h3><ul class=\"hashes\">");
    for bundle in &report.bundles {
        let job = escaped(&bundle.job);
        let _ = match &bundle.hash {
            Ok(hash) => {
                write!(html, "<li>Job <code>{job}</code>: <code data-bundle=\"{job}\">{hash}</code></li>")
            }
            Err(reason) => write!(html, "<li>Job <code>{job}</code>: none ({})</li>", escaped(reason)),
        };
    }
    if report.more_jobs > 0 {
        let _ = write!(html, "<li>and {} more jobs</li>", report.more_jobs);
    }
    html.push_str("</ul><h3>Configurations</h3><ul class=\"hashes\">");
    for (model, hash) in &report.configurations {
        let _ = write!(html, "<li>{}: <code>{}</code></li>", escaped(model), escaped(hash));
    }
    html + "</ul>"
}

/// Text between backquotes as code.
fn code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(place, part)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() })
        .collect()
}
