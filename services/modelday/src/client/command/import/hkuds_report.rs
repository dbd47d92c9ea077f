//! What an import of HKUDS/AI-Trader came to, for people and for scripts.

use std::fmt::Write as _;
use std::path::Path;

use chrono::NaiveDate;
use serde::Serialize;

use crate::client::hkuds::{ComparedDay, Outcome, Recording};
use crate::terminal::grid::{Grid, exact, number, words};

/// Differing days of an agent that are shown in full.
const MAX_SHOWN: usize = 10;

/// What was found, stored and compared.
#[derive(Serialize)]
pub(super) struct Report {
    folder: String,
    pub(super) price_files: usize,
    pub(super) bars: Bars,
    /// Days whose conversation is stored.
    pub(super) conversations: u64,
    pub(super) agents: Vec<Agent>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) notes: Vec<String>,
}

/// Counts of bars.
#[derive(Default, Serialize)]
pub(super) struct Bars {
    inserted: u64,
    unchanged: u64,
    replaced: u64,
}

impl Bars {
    pub(super) fn add(&mut self, inserted: u64, unchanged: u64, replaced: u64) {
        self.inserted += inserted;
        self.unchanged += unchanged;
        self.replaced += replaced;
    }
}

/// An agent that Modelday cannot run.
#[derive(Serialize)]
pub(super) struct LeftOut {
    pub(super) agent: String,
    pub(super) reason: String,
}

/// An agent that was run.
#[derive(Serialize)]
pub(super) struct Agent {
    model: String,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    orders: usize,
    /// Sessions that were compared.
    days: usize,
    equal: usize,
    notes: Vec<String>,
    compared: Vec<ComparedDay>,
}

impl Agent {
    pub(super) fn new(model: &str, recording: &Recording, compared: Vec<ComparedDay>) -> Self {
        let range = recording.range();
        Self {
            model: model.to_owned(),
            start: range.map(|(start, _)| start),
            end: range.map(|(_, end)| end),
            orders: recording.order_count(),
            days: compared.iter().filter(|day| day.outcome != Outcome::Closed).count(),
            equal: compared.iter().filter(|day| day.outcome == Outcome::Equal).count(),
            notes: recording.notes.clone(),
            compared,
        }
    }
}

impl Report {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.display().to_string(),
            price_files: 0,
            bars: Bars::default(),
            conversations: 0,
            agents: Vec::new(),
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether every day of every agent came out the same.
    pub(super) fn is_all_equal(&self) -> bool {
        self.agents.iter().all(|agent| agent.equal == agent.days)
    }

    pub(super) fn text(&self, width: usize) -> String {
        let Bars { inserted, unchanged, replaced } = &self.bars;
        let mut text = format!(
            "{} agents and {} files of prices in {}\n",
            self.agents.len() + self.left_out.len(),
            self.price_files,
            self.folder
        );
        let is_compared = self.agents.iter().any(|agent| !agent.compared.is_empty());
        if is_compared {
            let _ = writeln!(text, "Bars: {inserted} new, {unchanged} unchanged, {replaced} replaced");
        }
        if self.conversations > 0 {
            let _ = writeln!(
                text,
                "Conversations: {} days, shown on the pages of these days",
                self.conversations
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "  note: {note}");
        }
        for LeftOut { agent, reason } in &self.left_out {
            let _ = writeln!(text, "  left out: {agent} {reason}");
        }
        if !self.agents.is_empty() {
            let _ = write!(text, "\n{}", self.table(width));
        }
        for agent in &self.agents {
            agent.tell(&mut text);
        }
        if is_compared {
            let _ = write!(text, "\n{}", self.verdict());
        } else if !self.agents.is_empty() {
            text.push_str("\nNothing was stored or run; without --dry-run it is.\n");
        }
        text
    }

    fn table(&self, width: usize) -> String {
        let columns =
            [words("Model"), exact("From"), exact("To"), number("Orders"), number("Days"), number("Equal")];
        let mut grid = Grid::new(columns);
        for Agent { model, start, end, orders, days, equal, .. } in &self.agents {
            let date = |date: &Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
            let compared = |count: &usize| if *days > 0 { count.to_string() } else { "-".to_owned() };
            let (orders, days, equal) = (orders.to_string(), compared(days), compared(equal));
            grid.row([model.clone(), date(start), date(end), orders, days, equal]);
        }
        grid.text(width)
    }

    fn verdict(&self) -> String {
        let (days, equal): (usize, usize) =
            self.agents.iter().fold((0, 0), |(days, equal), agent| (days + agent.days, equal + agent.equal));
        if days == equal {
            return format!(
                "Every day is equal: {equal} of {days}, to every share and a millionth of a dollar.\n"
            );
        }
        format!("{equal} of {days} days are equal, {} differ.\n", days - equal)
    }
}

impl Agent {
    /// Its notes and its differing days; those that only continue another are counted.
    fn tell(&self, text: &mut String) {
        for note in &self.notes {
            let _ = writeln!(text, "  {}: {note}", self.model);
        }
        let differing: Vec<_> = self.compared.iter().filter(|day| day.outcome.differs()).collect();
        let (mut shown, mut continued) = (0, 0);
        for ComparedDay { date, outcome } in &differing {
            match outcome {
                Outcome::Different { what, why } if shown < MAX_SHOWN => {
                    shown += 1;
                    let _ = writeln!(text, "\n{} on {date} differs", self.model);
                    for line in what {
                        let _ = writeln!(text, "  {line}");
                    }
                    for line in why {
                        let _ = writeln!(text, "  because {line}");
                    }
                }
                Outcome::Continued { .. } => continued += 1,
                Outcome::Different { .. } | Outcome::Equal | Outcome::Closed => {}
            }
        }
        if continued > 0 {
            let _ = writeln!(
                text,
                "  {continued} days of {} differ only because a day before them does",
                self.model
            );
        }
        let rest = differing.len() - shown - continued;
        if rest > 0 {
            let _ = writeln!(text, "  {rest} more days of {} differ; --json lists them", self.model);
        }
    }
}
