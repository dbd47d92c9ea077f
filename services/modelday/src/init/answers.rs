//! What `modelday init` has to know: from its options and the environment, or typed into a terminal. A key is typed without
//! being shown, and never taken from the command line, where every user of the machine can see it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail, ensure};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use domain::agent::endpoint::EndpointRules;
use domain::agent::{AddressRules, EndpointUrl};
use domain::market::instruments::Symbol;
use domain::values::date::required_date;

use crate::client::http::Connection;
use crate::terminal::output::note;

/// A source of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Provider {
    /// Alpha Vantage.
    AlphaVantage,
    /// Tiingo.
    Tiingo,
    /// Massive, formerly Polygon.
    Massive,
    /// None: prices are imported.
    None,
}

/// What a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A language model.
    Llm,
    /// A program of yours that listens.
    Http,
}

/// How a language model is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LanguageDialect {
    ChatCompletions,
    Messages,
    Responses,
}

/// What is known beforehand. What is missing is typed into the terminal.
#[derive(Args)]
pub(crate) struct InitArguments {
    /// The folder with configs/ and .env.
    #[arg(long, default_value = ".")]
    pub(super) folder: std::path::PathBuf,
    /// Where prices come from; its key is ALPHAVANTAGE_API_KEY, TIINGO_API_KEY or MASSIVE_API_KEY.
    #[arg(long, value_enum)]
    pub(super) provider: Option<Provider>,
    /// The name of the model in Modelday.
    #[arg(long)]
    pub(super) model: Option<String>,
    /// What it is.
    #[arg(long, value_enum)]
    pub(super) kind: Option<Kind>,
    /// The address of its endpoint.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// A language model's name at the endpoint.
    #[arg(long)]
    pub(super) basemodel: Option<String>,
    /// A language model's protocol.
    #[arg(long, value_enum)]
    pub(super) dialect: Option<LanguageDialect>,
    /// What may be traded, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(super) symbols: Vec<Symbol>,
    /// The first date, YYYY-MM-DD.
    #[arg(long, value_parser = required_date)]
    pub(super) start: Option<NaiveDate>,
    /// The last date, YYYY-MM-DD.
    #[arg(long, value_parser = required_date)]
    pub(super) end: Option<NaiveDate>,
    /// Run the model over the dates at the end, when a Modelday answers that can.
    #[arg(long)]
    pub(super) run: bool,
    #[command(flatten)]
    pub(super) connection: Connection,
    /// Ask nothing: keys are in the environment, and everything else in options.
    #[arg(long)]
    pub(super) no_input: bool,
}

/// A key, and the variable that holds it.
pub(super) struct Key {
    pub(super) variable: String,
    pub(super) value: String,
    /// The host that it belongs to, when that is not known of the variable.
    pub(super) host: Option<String>,
}

/// Everything.
pub(super) struct Answers {
    pub(super) provider: Option<Key>,
    pub(super) model: String,
    pub(super) kind: Kind,
    pub(super) url: String,
    pub(super) basemodel: String,
    pub(super) dialect: LanguageDialect,
    pub(super) key: Option<Key>,
    pub(super) symbols: Vec<Symbol>,
    pub(super) start: NaiveDate,
    pub(super) end: NaiveDate,
}

impl Provider {
    fn key_variable(self) -> Option<&'static str> {
        match self {
            Self::AlphaVantage => Some("ALPHAVANTAGE_API_KEY"),
            Self::Tiingo => Some("TIINGO_API_KEY"),
            Self::Massive => Some("MASSIVE_API_KEY"),
            Self::None => None,
        }
    }
}

/// Collects the answers.
pub(super) fn collect(
    arguments: InitArguments,
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<Answers> {
    let ask = Ask { environment, is_silent: arguments.no_input || !std::io::stdin().is_terminal() };
    let provider = match arguments.provider {
        Some(provider) => provider,
        None => ask.choice("Prices from", Provider::value_variants(), "--provider")?,
    };
    let provider = match provider.key_variable() {
        Some(variable) => Some(Key { value: ask.key(variable)?, variable: variable.to_owned(), host: None }),
        None => None,
    };
    let kind = match arguments.kind {
        Some(kind) => kind,
        None => ask.choice("Kind of model", Kind::value_variants(), "--kind")?,
    };
    let model = ask.text(arguments.model, "Name of the model in Modelday", "--model")?;
    let url = ask.text(arguments.url, "Address of its endpoint", "--url")?;
    let address: EndpointUrl = url.parse().map_err(|problem| anyhow::anyhow!("the address {problem}"))?;
    let (basemodel, dialect, key) = match kind {
        Kind::Http => (String::new(), LanguageDialect::ChatCompletions, None),
        Kind::Llm => {
            let basemodel = ask.text(arguments.basemodel, "Its name at the endpoint", "--basemodel")?;
            let dialect = arguments.dialect.unwrap_or_else(|| usual_dialect(&address));
            (basemodel, dialect, model_key(&ask, &address, &model)?)
        }
    };
    let symbols = match arguments.symbols.is_empty() {
        false => arguments.symbols,
        true => {
            let texts = ask.text(None, "Symbols, separated by commas", "--symbols")?;
            let parsed = texts.split([',', ' ']).filter(|text| !text.is_empty());
            parsed.map(|text| text.to_uppercase().parse()).collect::<Result<_, _>>().context("symbols")?
        }
    };
    ensure!(!symbols.is_empty(), "no symbol is named; write such as AAPL,MSFT");
    let start = ask.date(arguments.start, "First date, YYYY-MM-DD", "--start")?;
    let end = ask.date(arguments.end, "Last date, YYYY-MM-DD", "--end")?;
    ensure!(start <= end, "the first date {start} is after the last date {end}");
    Ok(Answers { provider, model, kind, url, basemodel, dialect, key, symbols, start, end })
}

/// The protocol that the host is known for.
fn usual_dialect(address: &EndpointUrl) -> LanguageDialect {
    match address.host().as_str() {
        "api.anthropic.com" => LanguageDialect::Messages,
        _ => LanguageDialect::ChatCompletions,
    }
}

/// The key of a model's endpoint; an endpoint on this machine may need none.
fn model_key(ask: &Ask<'_>, address: &EndpointUrl, model: &str) -> anyhow::Result<Option<Key>> {
    let rules = EndpointRules::new(AddressRules::of_operator(), Vec::new());
    let variables = rules.variables();
    let known = variables.into_iter().find(|variable| rules.check(address.as_str(), Some(variable)).is_ok());
    let (variable, host) = match known {
        Some(known) => (known.to_owned(), None),
        None => (variable_of(model), Some(address.authority())),
    };
    if address.is_loopback() && !ask.environment.contains_key(&variable) {
        return Ok(None);
    }
    Ok(Some(Key { value: ask.key(&variable)?, variable, host }))
}

/// A variable for a model's key, such as `MY_MODEL_API_KEY`.
fn variable_of(model: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("MODEL_{}_API_KEY", model.chars().map(upper).collect::<String>())
}

/// Asks people.
struct Ask<'e> {
    environment: &'e BTreeMap<String, String>,
    /// There is no terminal.
    is_silent: bool,
}

impl Ask<'_> {
    fn text(&self, given: Option<String>, question: &str, option: &str) -> anyhow::Result<String> {
        let answer = match given {
            Some(given) => given,
            None if self.is_silent => bail!("{option} is missing"),
            None => {
                note(&format!("{question}:"));
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line).context("reading the answer")?;
                line
            }
        };
        let answer = answer.trim().to_owned();
        ensure!(!answer.is_empty(), "{option} is missing");
        Ok(answer)
    }

    fn choice<T: ValueEnum>(&self, question: &str, choices: &[T], option: &str) -> anyhow::Result<T> {
        let names: Vec<String> = choices
            .iter()
            .filter_map(|choice| Some(choice.to_possible_value()?.get_name().to_owned()))
            .collect();
        let answer = self.text(None, &format!("{question} ({})", names.join(", ")), option)?;
        T::from_str(&answer, true).map_err(|_| anyhow::anyhow!("{answer:?} is none of {}", names.join(", ")))
    }

    fn date(&self, given: Option<NaiveDate>, question: &str, option: &str) -> anyhow::Result<NaiveDate> {
        match given {
            Some(date) => Ok(date),
            None => Ok(required_date(&self.text(None, question, option)?)?),
        }
    }

    /// The key in a variable of the environment, or one that is typed and not shown.
    fn key(&self, variable: &str) -> anyhow::Result<String> {
        let known =
            self.environment.get(variable).map(|value| value.trim()).filter(|value| !value.is_empty());
        if let Some(value) = known {
            return Ok(value.to_owned());
        }
        if self.is_silent {
            bail!("{variable} is not set; put the key into the environment");
        }
        note(&format!("{variable} (it is not shown):"));
        let value = console::Term::stderr().read_secure_line().context("reading the key")?;
        ensure!(!value.trim().is_empty(), "{variable} is empty");
        Ok(value.trim().to_owned())
    }
}
