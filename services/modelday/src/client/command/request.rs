//! The options of `run` and `plan` that make up the request for a job.

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::{Map, Value, json};

use crate::completion;

/// The six recorded models of the sample job.
const SAMPLE_MODELS: [&str; 6] =
    ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];
/// First and last date of the sample job.
const SAMPLE_RANGE: (&str, &str) = ("2025-10-01", "2025-10-29");

/// Options of a job.
#[derive(Args)]
pub(crate) struct RequestArguments {
    /// The sample job: six recorded models in October 2025.
    #[arg(long, conflicts_with_all = ["start", "end", "models", "universe", "symbols"])]
    pub(super) sample: bool,
    /// First date, YYYY-MM-DD; without it each model resumes after its last day.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", required_unless_present = "sample")]
    end: Option<String>,
    /// Models, separated by commas; without it all enabled ones.
    #[arg(long, value_delimiter = ',', value_parser = model_name, add = ArgValueCompleter::new(completion::models))]
    models: Vec<String>,
    /// Universe whose symbols may be traded; without it the default one.
    #[arg(long, value_name = "NAME", conflicts_with = "symbols")]
    universe: Option<String>,
    /// Symbols that may be traded, separated by commas, in place of a universe.
    #[arg(long, value_delimiter = ',', value_parser = symbol)]
    symbols: Vec<String>,
    /// Name of the experiment; a new one starts from cash.
    #[arg(long, default_value = "default")]
    pub(super) experiment: String,
    /// Run completed days again and replace them.
    #[arg(long)]
    replace_existing: bool,
    /// Run days again that stand on a replaced or later filled day.
    #[arg(long)]
    reprocess_stale: bool,
    /// Wait for the price provider's next budget window instead of skipping dates.
    #[arg(long)]
    wait_for_data: bool,
    /// End a model's days at its first failed one.
    #[arg(long)]
    stop_on_failure: bool,
    /// Dollars that the job's agents may cost.
    #[arg(long, value_name = "DOLLARS")]
    budget: Option<String>,
    /// Which jobs go first while more lanes are ready than can run.
    #[arg(long, value_name = "PRIORITY", value_parser = ["low", "normal", "high"])]
    priority: Option<String>,
}

impl RequestArguments {
    /// The models that are named.
    pub(super) fn models(&self) -> &[String] {
        &self.models
    }

    /// The body of the request. Options that are not set are left out, so that the server's defaults hold.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        let (start, end) = self.dates();
        set("start_date", json!(start));
        set("end_date", json!(end));
        if self.sample {
            set("models", json!(SAMPLE_MODELS));
        } else if !self.models.is_empty() {
            set("models", json!(self.models));
        }
        if let Some(universe) = &self.universe {
            set("universe", json!(universe));
        }
        if !self.symbols.is_empty() {
            set("symbols", json!(self.symbols));
        }
        set("experiment", json!(self.experiment));
        for (name, is_set) in [
            ("replace_existing", self.replace_existing),
            ("reprocess_stale", self.reprocess_stale),
            ("wait_for_data", self.wait_for_data),
        ] {
            if is_set {
                set(name, json!(true));
            }
        }
        if self.stop_on_failure {
            set("on_failure", json!("stop"));
        }
        if let Some(budget) = &self.budget {
            set("budget", json!(budget));
        }
        if let Some(priority) = &self.priority {
            set("priority", json!(priority));
        }
        Value::Object(body)
    }

    fn dates(&self) -> (Option<&str>, Option<&str>) {
        if self.sample {
            return (Some(SAMPLE_RANGE.0), Some(SAMPLE_RANGE.1));
        }
        (self.start.as_deref(), self.end.as_deref())
    }
}

/// A name between commas, without the blanks around it. None at all would mean every enabled model.
fn model_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() { Err("a name is missing".to_owned()) } else { Ok(name.to_owned()) }
}

/// A symbol between commas, in capital letters.
pub(super) fn symbol(text: &str) -> Result<String, String> {
    let symbol = text.trim().to_uppercase();
    if symbol.is_empty() { Err("a symbol is missing".to_owned()) } else { Ok(symbol) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_models_name_do_not_count_and_a_missing_name_is_an_error() {
        assert_eq!(model_name(" hold-qqq ").as_deref(), Ok("hold-qqq"));
        assert!(model_name("  ").is_err());
        assert_eq!(symbol(" aapl").as_deref(), Ok("AAPL"));
        assert!(symbol(" ").is_err());
    }
}
