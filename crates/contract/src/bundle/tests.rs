//! A written bundle is read back, and a file that is not whole is refused.

use domain::accounting::portfolio::Portfolio;
use domain::agent::{AgentReport, Entry, EntryKind, UsageTotal};
use domain::job::{Job, JobState, Model, ModelKind, Options};
use domain::market::calendar::Calendar;
use domain::market::instruments::{Bar, Universe};
use domain::market::price_table::PriceTable;
use domain::market::rules::MarketRules;
use domain::replay::{BaseDay, Bundle, RecordedDay, RecordedOutcome, RecordedPortfolio};
use domain::simulation::model_day::DayRef;
use domain::simulation::run::PortfolioDay;
use domain::strategy::policy::Policy;
use rust_decimal::Decimal;

use super::*;

const NO_LIMIT: u64 = u64::MAX;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn bar() -> Bar {
    let price = |text: &str| text.parse().unwrap();
    Bar::new(price("100.1234"), price("102"), price("99.5"), price("101"), 12_345_678_901).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn held() -> Portfolio {
    Portfolio::new(decimal("9899.8766"), [("AAPL".parse().unwrap(), 1)].into()).unwrap()
}

fn recorded(on: &str, outcome: RecordedOutcome) -> RecordedDay {
    let entry = |step, index, kind, answer: &str| Entry {
        step,
        index,
        kind,
        hash: (kind == EntryKind::Call).then(|| "ab".repeat(32)),
        sent: 1,
        refused: 0,
        answer: Some(answer.to_owned()),
    };
    let journal = [entry(1, 0, EntryKind::Call, "{\"a\":\"b\\n\"}"), entry(1, 1, EntryKind::Tool, "é")];
    RecordedDay {
        date: date(on),
        revision: 2,
        base: Some(DayRef { date: date("2025-10-01"), revision: 1 }),
        day_index: 4,
        attempt: 3,
        journal: journal.into_iter().collect(),
        outcome,
        report: Some(AgentReport {
            reason: "finished".to_owned(),
            summary: "It bought.".to_owned(),
            spent: UsageTotal { calls: 2, cost: Some(decimal("0.001250")), ..UsageTotal::default() },
            possibly_paid_twice: 1,
            tool_calls: Some(3),
        }),
    }
}

fn bundle() -> Bundle {
    let completed = RecordedOutcome::Completed {
        fills: Vec::new(),
        position: held(),
        value_at_open: decimal("10000"),
        value_at_close: Some(decimal("10000.8766")),
    };
    let failed = RecordedOutcome::Failed { error: "no \"money\"".to_owned() };
    let day = DayRef { date: date("2025-10-01"), revision: 1 };
    let end = PortfolioDay { day, position: held(), value_at_open: decimal("10000") };
    Bundle {
        job: Job {
            id: "018f3b1e-7b7a-7000-8000-0123456789ab".parse().unwrap(),
            experiment: "default".to_owned(),
            models: vec![Model {
                signature: "cash".to_owned(),
                config_hash: "hash".to_owned(),
                initial_cash: decimal("10000"),
                trials: 1,
                training_cutoff: None,
                start: date("2025-10-01"),
                costs: domain::accounting::costs::Costs::NONE,
                requested_dates: None,
                kind: ModelKind::Policy(Policy::Cash),
            }],
            universe: Universe {
                name: "one".to_owned(),
                symbols: vec!["AAPL".parse().unwrap()],
                benchmark: None,
            },
            start: date("2025-10-01"),
            end: date("2025-10-03"),
            options: Options::default(),
            accepted_at: "2025-11-01T00:00:00Z".parse().unwrap(),
            retry_of: None,
            unknown_fields: Vec::new(),
            requested_by: String::new(),
        },
        state: JobState::Partial,
        calendar: Calendar::nyse().with_closures([date("2025-10-06")]),
        prices: [("AAPL".parse().unwrap(), date("2025-10-01"), bar())].into_iter().collect::<PriceTable>(),
        actions: actions(),
        rules: MarketRules::Restated,
        portfolios: vec![RecordedPortfolio {
            model: "cash".to_owned(),
            trial: 0,
            bases: vec![BaseDay { end, value_at_close: None }],
            days: vec![recorded("2025-10-02", completed), recorded("2025-10-03", failed)],
        }],
    }
}

fn actions() -> KnownActions {
    let action = |kind: ActionKind| {
        let (ratio, amount) = (Ratio::reduced(1, 10), "0.26".parse().ok());
        let action = Action::of(kind, ratio, amount, "NEW".parse().ok()).unwrap();
        (date("2025-10-02"), CorporateAction { symbol: "AAPL".parse().unwrap(), action })
    };
    KnownActions::new(ActionKind::ALL.map(action))
}

fn written(bundle: &Bundle) -> String {
    let mut encoder = Encoder::default();
    let mut text = encoder.header(&bundle.job, bundle.state, &bundle.calendar, bundle.rules).unwrap();
    text += &encoder.bars(&"AAPL".parse().unwrap(), &[(date("2025-10-01"), bar())], &bundle.actions).unwrap();
    for portfolio in &bundle.portfolios {
        let (model, trial) = (&portfolio.model, portfolio.trial);
        text += &encoder.portfolio(model, trial, &portfolio.bases).unwrap();
        for day in &portfolio.days {
            text += &encoder.day(model, trial, day).unwrap();
        }
    }
    text + &encoder.end().unwrap()
}

fn problem(text: &str) -> String {
    read(text.as_bytes(), NO_LIMIT).expect_err("it is refused").to_string()
}

#[test]
fn what_is_written_is_read_again() {
    let bundle = bundle();

    assert_eq!(read(written(&bundle).as_bytes(), NO_LIMIT).unwrap(), bundle);
}

#[test]
fn a_bundle_of_the_first_versions_shows_prices_as_traded() {
    let bundle = Bundle { rules: MarketRules::AsTraded, ..bundle() };
    let text = written(&bundle);

    assert!(!text.contains("market_rules"), "it is written as it was then");
    assert_eq!(read(text.as_bytes(), NO_LIMIT).unwrap(), bundle);
}

#[test]
fn amounts_are_text_and_the_format_is_named() {
    let text = written(&bundle());

    assert!(text.starts_with("{\"kind\":\"header\",\"format\":\"modelday.bundle/1\","), "{text}");
    assert!(
        text.contains(r#"["2025-10-01","100.1234","102","99.5","101",12345678901]"#)
            && text.contains(r#""value_at_close":"10000.8766""#),
        "{text}"
    );
}

#[test]
fn the_lines_keep_the_names_of_the_format() {
    let text = written(&bundle());

    for expected in [
        r#""bases":[{"date":"2025-10-01","revision":1,"position":{"#,
        r#","value_at_open":"10000","value_at_close":null}]}"#,
        r#""trial":0,"date":"2025-10-02","revision":2,"base":{"date":"2025-10-01","revision":1},"day_index":4,"attempt":3"#,
        r#""outcome":{"status":"completed","fills":[],"position":{"#,
        r#""outcome":{"status":"failed","error":"no \"money\""}"#,
        r#""agent":{"end_reason":"finished","summary":"It bought.","usage":{"calls":2,"#,
        r#""cost":"0.001250","unknown_calls":0,"unpriced_calls":0},"possibly_paid_twice":1,"tool_calls":3}}"#,
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let text = written(&bundle());

    // Without its last line feed a file is still whole.
    for end in (0..text.len() - 1).filter(|end| text.is_char_boundary(*end)) {
        assert!(read(&text.as_bytes()[..end], NO_LIMIT).is_err(), "{:?}", &text[..end]);
    }
    let without_end = &text[..text.find("{\"kind\":\"end\"").unwrap()];
    assert_eq!(problem(without_end), "the file is cut off after line 5: its checksum is missing");
}

#[test]
fn a_changed_character_is_found() {
    let text = written(&bundle());

    let changed = problem(&text.replace("It bought.", "It waited."));
    assert!(changed.starts_with("the file is damaged: the checksum of its lines is "), "{changed}");
    let fewer: String =
        text.lines().filter(|line| !line.contains("2025-10-03\",\"rev")).collect::<Vec<_>>().join("\n");
    assert!(problem(&fewer).starts_with("the file is damaged"));
    assert_eq!(problem(&format!("{text}{{}}\n")), "line 7 cannot be used: it comes after the last");
}

#[test]
fn another_format_is_refused() {
    let text = written(&bundle());

    assert_eq!(
        problem(&text.replace("bundle/1", "bundle/2")),
        "the file is a \"modelday.bundle/2\" and this program reads \"modelday.bundle/1\""
    );
    assert_eq!(problem(""), "the file is no bundle: its first line does not begin one");
    assert_eq!(problem("{}"), "the file is no bundle: its first line does not begin one");
}

#[test]
fn lines_that_do_not_fit_together_are_refused() {
    let mut unordered = bundle();
    unordered.portfolios[0].days.reverse();
    assert_eq!(problem(&written(&unordered)), "line 5 cannot be used: 2025-10-02 comes after 2025-10-03");

    let mut unknown = bundle();
    unknown.portfolios[0].model = "absent".to_owned();
    assert_eq!(problem(&written(&unknown)), "line 3 cannot be used: the job has no model \"absent\"");
}

/// What is left of a source that claims to have so many bytes, and how many of them were read.
fn read_of(source: impl std::io::Read, max_bytes: u64) -> (String, u64) {
    let mut count = Counted { source, count: 0 };
    let problem = read(std::io::BufReader::new(&mut count), max_bytes).expect_err("it is refused");
    (problem.to_string(), count.count)
}

struct Counted<R> {
    source: R,
    count: u64,
}

impl<R: std::io::Read> std::io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}

#[test]
fn a_bundle_that_is_larger_than_its_limit_is_refused_before_it_is_read() {
    use std::io::Read as _;
    let ten_gib = 10 << 30;
    let bundle = bundle();
    let good = written(&bundle);
    // A line that may come as often as one likes.
    let bars = good.lines().find(|line| line.contains("\"bars\"")).unwrap();
    let endless = format!("{bars}\n").repeat(1_000);
    let header = format!("{}\n", good.lines().next().unwrap());

    let (one_line, of_line) = read_of(std::io::repeat(b' ').take(ten_gib), 2 << 30);
    let many = header.as_bytes().chain(Endless { text: endless.as_bytes(), at: 0 }.take(ten_gib));
    let (many_lines, of_many) = read_of(many, 1 << 20);

    assert_eq!(one_line, "line 1 of the file is longer than 134217728 bytes");
    assert!(of_line < 130 << 20, "{of_line} bytes were read");
    assert_eq!(many_lines, "the file unpacks to more than 1048576 bytes, which is the limit");
    assert!(of_many < 2 << 20, "{of_many} bytes were read");
    let exact = good.len() as u64;
    assert_eq!(read(good.as_bytes(), exact).unwrap(), bundle);
    assert!(matches!(read(good.as_bytes(), exact - 1), Err(BundleError::TooLarge { .. })));
}

/// A text again and again.
struct Endless<'a> {
    text: &'a [u8],
    at: usize,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.text[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at = (self.at + length) % self.text.len();
        Ok(length)
    }
}
