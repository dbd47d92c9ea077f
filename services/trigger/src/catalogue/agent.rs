//! Models that call an endpoint: kinds `llm` and `http`.

use domain::agent::endpoint::{EndpointRefusal, EndpointUrl, EndpointUrlError};
use domain::agent::prompt::Prompt;
use domain::agent::settings::Sampling;
use domain::agent::usage::CostBasis;
use domain::agent::{AgentSettings, Dialect, Limits, TokenPrices};
use domain::job::{AgentModel, bounds};
use serde::Deserialize;

use super::mistake::CatalogueMistake;

/// The version of a prompt whose text has no name.
const OWN_PROMPT: &str = "own";

/// The members of an agent.
#[derive(Deserialize, Default)]
pub(super) struct AgentMembers {
    /// `llm`: the endpoint's protocol.
    pub(super) dialect: Option<LanguageDialect>,
    /// `llm`: the address before `/chat/completions`, `/messages` or `/responses`.
    pub(super) base_url: Option<String>,
    /// `http`: where the agent listens.
    pub(super) url: Option<String>,
    /// Environment variable of the executor that holds the key.
    pub(super) api_key_env: Option<String>,
    /// `llm`: the model's name at the endpoint.
    pub(super) basemodel: Option<String>,
    /// Limits of one day.
    pub(super) limits: Option<Limits>,
    /// Sampling parameters of the model.
    pub(super) sampling: Option<Sampling>,
    /// Dollars a million tokens.
    pub(super) prices: Option<TokenPrices>,
    /// Which cost counts when the endpoint reports one and `prices` give another.
    pub(super) cost_basis: Option<CostBasis>,
    /// File of the system prompt, beside the models file.
    pub(super) prompt: Option<String>,
    /// The text of the system prompt, in place of the file; `prompt` is only its name then.
    pub(super) prompt_text: Option<String>,
    /// Whether the model may search the web.
    #[serde(default)]
    pub(super) search: bool,
    /// Most days that use this endpoint at the same time.
    pub(super) concurrency: Option<u32>,
    /// Tokens a minute that the endpoint allows.
    pub(super) tokens_per_minute: Option<u64>,
    /// Seconds without a byte of the response after which a call is aborted.
    pub(super) timeout_seconds: Option<u64>,
}

/// The protocols of language models.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum LanguageDialect {
    #[default]
    ChatCompletions,
    Messages,
    Responses,
}

impl From<LanguageDialect> for Dialect {
    fn from(dialect: LanguageDialect) -> Self {
        match dialect {
            LanguageDialect::ChatCompletions => Self::ChatCompletions,
            LanguageDialect::Messages => Self::Messages,
            LanguageDialect::Responses => Self::Responses,
        }
    }
}

/// A model that calls an endpoint; `key` gives the full name of a key of its entry.
pub(super) fn agent(
    dialect: Dialect,
    members: &AgentMembers,
    key: &impl Fn(&str) -> String,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<AgentModel, CatalogueMistake> {
    let (name, url) = match dialect {
        Dialect::Agent | Dialect::Mcp => ("url", &members.url),
        Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => ("base_url", &members.base_url),
    };
    let url = url.as_deref().unwrap_or_default();
    url.parse::<EndpointUrl>().map_err(|problem| {
        let fix = match problem {
            EndpointUrlError::NotWeb => {
                format!("write {name} = \"https://...\", the address of the endpoint")
            }
            EndpointUrlError::Credentials => EndpointRefusal::Url(problem).fix(),
        };
        CatalogueMistake::new(key(name), problem, &fix)
    })?;
    let basemodel = match (dialect, &members.basemodel) {
        (Dialect::Agent | Dialect::Mcp, basemodel) => basemodel.clone().unwrap_or_default(),
        (_, Some(basemodel)) if !basemodel.is_empty() => basemodel.clone(),
        (_, _) => {
            let fix = "write basemodel = \"...\", the model's name at the endpoint";
            return Err(CatalogueMistake::new(key("basemodel"), "is missing", fix));
        }
    };
    let sampling = members.sampling.clone().unwrap_or_default();
    if sampling.seed.is_some() && matches!(dialect, Dialect::Messages | Dialect::Responses) {
        let problem = "has a seed, which endpoints of this dialect refuse";
        return Err(CatalogueMistake::new(key("sampling"), problem, "remove the seed"));
    }
    let concurrency = at_least_one(members.concurrency.unwrap_or(4), "concurrency", key)?;
    let timeout_seconds = at_least_one(members.timeout_seconds.unwrap_or(120), "timeout_seconds", key)?;
    let agent = AgentModel {
        dialect,
        url: url.trim_end_matches('/').to_owned(),
        key_variable: members.api_key_env.clone().filter(|variable| !variable.is_empty()),
        settings: AgentSettings {
            basemodel,
            limits: members.limits.clone().unwrap_or_default(),
            sampling,
            prompt: prompt(members, key, read)?,
            search: members.search,
            prices: members.prices.clone(),
            cost_basis: members.cost_basis.unwrap_or_default(),
        },
        concurrency,
        tokens_per_minute: members.tokens_per_minute,
        timeout_seconds,
    };
    bounds::check_agent(&agent).map_err(|bound| {
        CatalogueMistake::new(key(bound.field), bound, &format!("write at most {}", bound.max))
    })?;
    Ok(agent)
}

/// The steps and the calls of tools of a day that a client decides, unless its entry has others: each call is a step.
const CLIENT_CALLS: u32 = 1_000;

/// A model whose days a client decides over MCP: it is called nowhere.
pub(super) fn client(
    members: &AgentMembers,
    key: &impl Fn(&str) -> String,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<AgentModel, CatalogueMistake> {
    let of_endpoints = [
        ("base_url", members.base_url.is_some()),
        ("url", members.url.is_some()),
        ("api_key_env", members.api_key_env.is_some()),
        ("basemodel", members.basemodel.is_some()),
        ("sampling", members.sampling.is_some()),
        ("prices", members.prices.is_some()),
        ("cost_basis", members.cost_basis.is_some()),
        ("concurrency", members.concurrency.is_some()),
        ("tokens_per_minute", members.tokens_per_minute.is_some()),
        ("timeout_seconds", members.timeout_seconds.is_some()),
    ];
    if let Some((name, _)) = of_endpoints.into_iter().find(|(_, is_there)| *is_there) {
        let problem = "is that of an endpoint, and a model of kind mcp has none";
        return Err(CatalogueMistake::new(key(name), problem, "remove it, or change the kind"));
    }
    let calls = Limits { max_steps: CLIENT_CALLS, max_tool_calls: CLIENT_CALLS, ..Limits::default() };
    let agent = AgentModel {
        dialect: Dialect::Mcp,
        url: "mcp:".to_owned(),
        key_variable: None,
        settings: AgentSettings {
            basemodel: String::new(),
            limits: members.limits.clone().unwrap_or(calls),
            sampling: Sampling::default(),
            prompt: prompt(members, key, read)?,
            search: members.search,
            prices: None,
            cost_basis: CostBasis::default(),
        },
        concurrency: 1,
        tokens_per_minute: None,
        timeout_seconds: 120,
    };
    bounds::check_agent(&agent).map_err(|bound| {
        CatalogueMistake::new(key(bound.field), bound, &format!("write at most {}", bound.max))
    })?;
    Ok(agent)
}

fn at_least_one<T: PartialOrd + From<u8>>(
    value: T,
    name: &str,
    key: &impl Fn(&str) -> String,
) -> Result<T, CatalogueMistake> {
    if value >= T::from(1) {
        return Ok(value);
    }
    Err(CatalogueMistake::new(key(name), "is 0", "write 1 or more"))
}

/// The prompt; its version is the file's name.
fn prompt(
    members: &AgentMembers,
    key: &impl Fn(&str) -> String,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<Prompt, CatalogueMistake> {
    let (name, fix, text) = match (&members.prompt_text, members.prompt.as_deref()) {
        (None, None) => return Ok(Prompt::default()),
        (Some(text), _) => {
            ("prompt_text", "write a text such as configs/prompts/default.txt", Ok(text.clone()))
        }
        (None, Some(file)) => {
            let fix = "name a file beside the models file, such as configs/prompts/default.txt";
            ("prompt", fix, read(file))
        }
    };
    let mistake = |problem: String| CatalogueMistake::new(key(name), problem, fix);
    let template = text.map_err(mistake)?.try_into();
    let template =
        template.map_err(|problem: domain::agent::prompt::TemplateError| mistake(problem.to_string()))?;
    let file = members.prompt.as_deref().unwrap_or(OWN_PROMPT);
    let version = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".txt").to_owned();
    Ok(Prompt { version, template })
}
