//! The progress of one phase of a job: a bar in a terminal, at most five lines elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::output::note;

/// A phase of a job, such as its download.
pub(super) struct Phase {
    name: &'static str,
    unit: &'static str,
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    /// The last quarter that has a line.
    Lines(u64),
}

impl Phase {
    /// Shows a new phase, whose progress is counted in `unit`.
    pub(super) fn new(name: &'static str, unit: &'static str) -> Self {
        let display =
            if std::io::stderr().is_terminal() { Display::Bar(bar(name, unit)) } else { Display::Lines(0) };
        Self { name, unit, display }
    }

    /// Shows that `done` of `total` units are done.
    pub(super) fn at(&mut self, done: u64, total: u64) {
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Display::Lines(printed) => {
                if let Some(quarter) = quarter(done, total).filter(|quarter| quarter > printed) {
                    *printed = quarter;
                    note(&format!("  {:<11} {done}/{total} {}", self.name, self.unit));
                }
            }
        }
    }

    /// Shows the phase as complete.
    pub(super) fn finish(&mut self, total: u64) {
        self.at(total, total);
        if let Display::Bar(bar) = &self.display
            && !bar.is_finished()
        {
            bar.finish();
        }
    }

    /// Prints a line above the bar.
    pub(super) fn note(&self, text: &str) {
        match &self.display {
            Display::Bar(bar) => bar.suspend(|| note(text)),
            Display::Lines(_) => note(text),
        }
    }
}

/// Full quarters of `total` that are done, 0 to 4; `None` when `total` is 0.
fn quarter(done: u64, total: u64) -> Option<u64> {
    done.saturating_mul(4).checked_div(total).map(|quarter| quarter.min(4))
}

fn bar(name: &'static str, unit: &'static str) -> ProgressBar {
    let template = format!("  {{msg:<11}} [{{bar:40}}] {{pos}}/{{len}} {unit}  {{elapsed}}");
    let style = ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(0).with_style(style).with_message(name)
}

#[cfg(test)]
mod tests {
    use super::quarter;

    #[test]
    fn a_file_gets_a_line_a_quarter() {
        assert_eq!([0, 24, 25, 99, 100, 101].map(|done| quarter(done, 100)), [0, 0, 1, 3, 4, 4].map(Some));
        assert_eq!(quarter(0, 0), None);
    }
}
