//! One phase of a job on its way: a bar in a terminal, a line now and then elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::tell;

/// A phase that has begun.
pub(super) struct Phase {
    name: &'static str,
    unit: &'static str,
    show: Show,
}

enum Show {
    Bar(ProgressBar),
    /// The quarters that were told.
    Lines(u64),
}

impl Phase {
    /// A phase in which `unit` are counted.
    pub(super) fn new(name: &'static str, unit: &'static str) -> Self {
        let show = if std::io::stderr().is_terminal() { Show::Bar(bar(name, unit)) } else { Show::Lines(0) };
        Self { name, unit, show }
    }

    /// Shows that `done` units of `total` are behind it.
    pub(super) fn at(&mut self, done: u64, total: u64) {
        match &mut self.show {
            Show::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Show::Lines(told) => {
                if let Some(quarter) = quarter(done, total).filter(|quarter| quarter > told) {
                    *told = quarter;
                    tell(&format!("  {:<11} {done}/{total} {}", self.name, self.unit));
                }
            }
        }
    }

    /// Leaves it as it stands, complete.
    pub(super) fn finish(&mut self, total: u64) {
        self.at(total, total);
        if let Show::Bar(bar) = &self.show
            && !bar.is_finished()
        {
            bar.finish();
        }
    }

    /// Says something above it.
    pub(super) fn note(&self, text: &str) {
        match &self.show {
            Show::Bar(bar) => bar.suspend(|| tell(text)),
            Show::Lines(_) => tell(text),
        }
    }
}

/// Full quarters of `total`, 0 to 4; `None` of nothing.
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
