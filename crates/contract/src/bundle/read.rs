//! Reads a bundle and checks that it is whole, unchanged and consistent.

use std::io::{BufRead, Read as _};

use domain::job::JobState;
use domain::market::calendar::Calendar;
use domain::market::instruments::Bar;
use domain::market::known_actions::KnownActions;
use domain::market::price_table::PriceTable;
use domain::market::rules::MarketRules;
use domain::replay::{Bundle, RecordedPortfolio};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::write::hexadecimal;
use super::{BarsLine, EndLine, FORMAT, HeaderLine, Line, ModelDayLine, PortfolioLine};

/// Why a file cannot be used as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It could not be read to its end, or its compression is unknown.
    #[error("the file cannot be read to its end: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Its first line is none of a bundle.
    #[error("the file is no bundle: its first line does not begin one")]
    NoBundle,
    /// It is a bundle of another version.
    #[error("the file is a {found:?} and this program reads {FORMAT:?}")]
    Version {
        /// The format in its first line.
        found: String,
    },
    /// It ends before its last line.
    #[error("the file is cut off after line {lines}: its checksum is missing")]
    Cut {
        /// Lines before the cut.
        lines: u64,
    },
    /// It is larger than its reader accepts.
    #[error("the file unpacks to more than {max_bytes} bytes, which is the limit")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// A line is longer than any of a bundle.
    #[error("line {line} of the file is longer than {MAX_LINE_BYTES} bytes")]
    TooLong {
        /// Counted from 1.
        line: u64,
    },
    /// Its lines have changed since it was written.
    #[error("the file is damaged: the checksum of its lines is {found}, and it was written with {written}")]
    Damaged {
        /// The checksum of its lines.
        found: String,
        /// The checksum in its last line.
        written: String,
    },
    /// A line is invalid, or at the wrong place.
    #[error("line {line} cannot be used: {problem}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
}

/// The longest line: a model-day of very many long responses has some tens of MiB.
const MAX_LINE_BYTES: u64 = 128 << 20;

/// Reads a whole bundle of at most `max_bytes`. A file that was packed to harm is refused before it fills the memory.
///
/// # Errors
/// When it is cut, changed, inconsistent or too large.
pub fn read(mut source: impl BufRead, max_bytes: u64) -> Result<Bundle, BundleError> {
    let mut text = String::new();
    let mut lines = Lines { hash: Sha256::default(), count: 0, bytes: 0, max_bytes };
    if !lines.next(&mut source, &mut text)? {
        return Err(BundleError::NoBundle);
    }
    let mut bundle = begin(&text)?;
    loop {
        let before = lines.hash.clone();
        if !lines.next(&mut source, &mut text)? {
            return Err(BundleError::Cut { lines: lines.count });
        }
        let wrong = |problem: String| BundleError::Line { line: lines.count, problem };
        match serde_json::from_str(&text) {
            // Both a cut line and a changed line are no JSON. A cut line has no line feed.
            Err(_) if !text.ends_with('\n') => return Err(BundleError::Cut { lines: lines.count }),
            Err(problem) => return Err(wrong(problem.to_string())),
            Ok(Line::End(end)) => {
                check(&end, before, lines.count - 1)?;
                if lines.next(&mut source, &mut text)? {
                    let problem = "it comes after the last".to_owned();
                    return Err(BundleError::Line { line: lines.count, problem });
                }
                return Ok(bundle);
            }
            Ok(line) => add(&mut bundle, line).map_err(wrong)?,
        }
    }
}

/// The lines that were read.
struct Lines {
    hash: Sha256,
    count: u64,
    /// Bytes of all lines so far.
    bytes: u64,
    max_bytes: u64,
}

impl Lines {
    /// The next line; false at the end.
    fn next(&mut self, source: &mut impl BufRead, text: &mut String) -> Result<bool, BundleError> {
        text.clear();
        let left = self.max_bytes.saturating_sub(self.bytes);
        // A byte more shows that there is more.
        let mut bounded = source.take(left.min(MAX_LINE_BYTES) + 1);
        let read = bounded.read_line(text);
        if bounded.limit() == 0 {
            return Err(if left < MAX_LINE_BYTES {
                BundleError::TooLarge { max_bytes: self.max_bytes }
            } else {
                BundleError::TooLong { line: self.count + 1 }
            });
        }
        match read {
            Ok(0) => Ok(false),
            Ok(bytes) => {
                self.bytes += bytes as u64;
                self.hash.update(text.as_bytes());
                self.count += 1;
                Ok(true)
            }
            // A compressed file that was cut ends in the middle of a block.
            Err(problem) if problem.kind() == std::io::ErrorKind::UnexpectedEof && self.count > 0 => {
                Err(BundleError::Cut { lines: self.count })
            }
            Err(problem) => Err(problem.into()),
        }
    }
}

fn check(end: &EndLine, hash: Sha256, lines: u64) -> Result<(), BundleError> {
    let found = hexadecimal(hash);
    if found != end.sha256 || lines != end.lines {
        return Err(BundleError::Damaged { found, written: end.sha256.clone() });
    }
    Ok(())
}

fn begin(text: &str) -> Result<Bundle, BundleError> {
    #[derive(Deserialize)]
    struct Named {
        format: String,
    }
    let Named { format } = serde_json::from_str(text).map_err(|_| BundleError::NoBundle)?;
    if format != FORMAT {
        return Err(BundleError::Version { found: format });
    }
    let wrong = |problem: String| BundleError::Line { line: 1, problem };
    let HeaderLine { job, state, closures, market_rules, .. } = match serde_json::from_str(text) {
        Ok(Line::Header(header)) => *header,
        Ok(_) => return Err(wrong("it is no header".to_owned())),
        Err(problem) => return Err(wrong(problem.to_string())),
    };
    let rules = match market_rules {
        Some(name) => {
            MarketRules::parse(&name).ok_or_else(|| wrong(format!("{name:?} are no rules of the market")))?
        }
        None => MarketRules::AsTraded,
    };
    Ok(Bundle {
        rules,
        job: job.try_into().map_err(|problem: crate::ContractError| wrong(problem.to_string()))?,
        state: JobState::parse(&state).ok_or_else(|| wrong(format!("{state:?} is no state of a job")))?,
        calendar: Calendar::nyse().with_closures(closures),
        prices: PriceTable::default(),
        actions: KnownActions::default(),
        portfolios: Vec::new(),
    })
}

fn add(bundle: &mut Bundle, line: Line) -> Result<(), String> {
    match line {
        Line::Header(_) => Err("it is a second header".to_owned()),
        Line::Bars(bars) => {
            bundle.actions.extend(bars.actions()?);
            add_bars(&mut bundle.prices, bars)
        }
        Line::Portfolio(line) => {
            if !bundle.job.models.iter().any(|model| model.signature == line.model) {
                return Err(format!("the job has no model {:?}", line.model));
            }
            let PortfolioLine { model, trial, bases } = line;
            let days = Vec::new();
            bundle.portfolios.push(RecordedPortfolio { model, trial, bases, days });
            Ok(())
        }
        Line::ModelDay(day) => add_day(bundle.portfolios.last_mut(), *day),
        // `read` has handled the first end.
        Line::End(_) => Err("it is a second end".to_owned()),
    }
}

fn add_bars(prices: &mut PriceTable, bars: BarsLine) -> Result<(), String> {
    for (date, open, high, low, close, volume) in bars.bars {
        let bar = Bar::new(open, high, low, close, volume);
        let bar = bar.map_err(|problem| format!("{} on {date}: {problem}", bars.symbol))?;
        prices.insert(bars.symbol.clone(), date, bar);
    }
    Ok(())
}

fn add_day(portfolio: Option<&mut RecordedPortfolio>, day: ModelDayLine) -> Result<(), String> {
    let portfolio = portfolio.ok_or("a model-day comes before any portfolio")?;
    if (&portfolio.model, portfolio.trial) != (&day.model, day.trial) {
        return Err(format!("a model-day of {} stands below {}", day.model, portfolio.model));
    }
    if let Some(last) = portfolio.days.last().filter(|last| last.date >= day.day.date) {
        return Err(format!("{} comes after {}", day.day.date, last.date));
    }
    portfolio.days.push(day.recorded()?);
    Ok(())
}
