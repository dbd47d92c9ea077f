//! Entries of `models.toml`, good and bad.

use domain::agent::{AddressRules, Dialect};
use domain::job::ModelKind;

use super::*;

const DECISIONS: &str = "model,date,sequence,action,symbol,quantity\na,2025-10-02,1,buy,NVDA,15\n";

fn parse(text: &str) -> Result<Catalogue, Vec<CatalogueMistake>> {
    Catalogue::parse(text, |_| Ok(DECISIONS.to_owned()))
}

#[test]
fn a_recorded_model_brings_only_the_orders_of_the_range() {
    let text = "[[models]]\nsignature = \"a\"\nkind = \"recorded\"\ndecisions = \"d.csv\"";
    let catalogue = parse(text).unwrap();
    let orders = |start: &str, end: &str| {
        let model = catalogue.snapshot("a", start.parse().unwrap(), end.parse().unwrap()).unwrap();
        match model.kind {
            ModelKind::Recorded(orders) => orders.len(),
            ModelKind::Policy(_) | ModelKind::Agent(_) => usize::MAX,
        }
    };

    assert_eq!(orders("2025-10-01", "2025-10-29"), 1);
    assert_eq!(orders("2025-10-03", "2025-10-29"), 0);
    assert_eq!(orders("2025-10-30", "2025-10-29"), 0);
}

#[test]
fn the_hash_knows_what_affects_the_outcome() {
    let hash = |extra: &str| {
        let text = format!(
            "[[models]]\nsignature = \"a\"\nkind = \"policy\"\npolicy = {{ policy = \"cash\" }}\n{extra}"
        );
        parse(&text).unwrap().entries()[0].model.config_hash.clone()
    };

    assert_eq!(hash(""), hash("enabled = true\ntrials = 3"));
    assert_eq!(hash(""), hash("training_cutoff = 2024-10-31"));
    assert_ne!(hash(""), hash("initial_cash = 5000"));
}

/// A change of these hashes makes every day that is stored look as if it were made under another configuration.
#[test]
fn the_hash_of_a_configuration_stays_as_it_is_whatever_is_renamed_in_the_code() {
    let hash = |entry: &str| {
        let text = format!("[[models]]\nsignature = \"a\"\n{entry}");
        parse(&text).unwrap().entries()[0].model.config_hash.clone()
    };
    let check = |entry: &str, expected: &str| assert_eq!(hash(entry), expected, "{entry}");

    check("kind = \"policy\"\npolicy = { policy = \"cash\" }", "97197dbe26b11e4efa71433c190468c8");
    check("kind = \"policy\"\npolicy = { policy = \"equal_weight\" }", "081ad3d71f2c95f50abaf77779dc95bc");
    check(
        "kind = \"policy\"\npolicy = { policy = \"buy_and_hold\", symbol = \"QQQ\" }",
        "b0d4debf49158a18af8bd2c73aa2db4a",
    );
    check(
        "kind = \"policy\"\npolicy = { policy = \"momentum\", lookback = 20, top = 5, rebalance_every = 5 }",
        "a1054d03bb418d832400a09d2ade675b",
    );
    check(
        "kind = \"policy\"\npolicy = { policy = \"random\", seed = 7, orders_per_day = 3 }",
        "ec5a2b33404610f65e9394c48df7ca22",
    );
    check(
        "kind = \"policy\"\npolicy = { policy = \"cash\" }\ninitial_cash = \"2500.50\"\ncosts = { bps = 1.5, \
         per_share = 0.005, min = 1, max_bps_of_notional = 100, slippage_bps = 2 }",
        "3e7d4078a3f0d3703d60a50c6b89eade",
    );
    check("kind = \"recorded\"\ndecisions = \"d.csv\"", "a0c03f93cb0b03ab62f0c2a92f017ceb");
    check(
        "kind = \"llm\"\nbase_url = \"https://example.com/v1\"\nbasemodel = \"m\"",
        "912577c5a4c7835ac1afffac8fe3064b",
    );
    check(
        "kind = \"llm\"\nbase_url = \"https://example.com/v1\"\nbasemodel = \"m\"\nsearch = true\n\
         cost_basis = \"reported\"\nprices = { input = 1.25, output = 10 }\n\
         limits = { max_steps = 3, max_tool_calls = 9, max_tokens = 1000, max_cost = 0.1 }\n\
         sampling = { temperature = 0.7, top_p = 0.9, seed = 1, max_completion_tokens = 500, \
         extra = { reasoning_effort = \"low\" } }",
        "6a1a9196bfff77dcbc08c0a378a0afac",
    );
    check("kind = \"http\"\nurl = \"http://127.0.0.1:9/act\"", "cba748b601a688c771bbe7e2594e9b81");
}

#[test]
fn an_amount_is_the_same_however_it_is_written() {
    let hash = |cash: &str| {
        let text = format!(
            "[[models]]\nsignature = \"a\"\nkind = \"policy\"\npolicy = {{ policy = \"cash\" }}\n{cash}"
        );
        parse(&text).unwrap().entries()[0].model.config_hash.clone()
    };

    assert_eq!(hash("initial_cash = \"1.50\""), hash("initial_cash = \"1.5\""));
    assert_eq!(hash("costs = { bps = \"2.0\" }"), hash("costs = { bps = 2 }"));
}

#[test]
fn every_mistake_is_told_with_its_key() {
    let text = "[[models]]\nsignature = \"a\"\nkind = \"policy\"\n\n[[models]]\nsignature = \"a\"\n\
                kind = \"recorded\"\ndecisions = \"d.csv\"\ninitial_cash = -1";

    let keys: Vec<String> = parse(text).unwrap_err().into_iter().map(|mistake| mistake.key).collect();

    assert_eq!(keys, ["models.a.policy", "models.a", "models.a.initial_cash"]);
}

#[test]
fn an_entry_that_cannot_be_read_hides_no_other() {
    let text = "[[models]]\nkind = \"policy\"\n\n[[models]]\nsignature = \"b\"\nkind = \"magic\"\n\n\
                [[models]]\nsignature = \"c\"\nkind = \"policy\"\ntrials = 0\npolicy = { policy = \"cash\" }";

    let mistakes = parse(text).unwrap_err();

    let found: Vec<_> = mistakes.iter().map(|one| (one.key.as_str(), one.problem.as_str())).collect();
    assert_eq!(found[0], ("models[0]", "missing field `signature`"));
    assert_eq!(found[1].0, "models.b");
    assert_eq!(found[2], ("models.c.trials", "0 is not 1 to 1000"));
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let mistakes = parse("[[models]]\nsignature = ").unwrap_err();

    assert_eq!(mistakes[0].key, "line 2");
}

#[test]
fn an_agent_is_read_with_its_prompt_and_its_mistakes_are_told() {
    let entry = |extra: &str| {
        let text = format!("[[models]]\nsignature = \"a\"\nkind = \"llm\"\n{extra}");
        Catalogue::parse(&text, |_| Ok("Trade. {stop_token}".to_owned()))
    };
    let good = "base_url = \"https://x/v1/\"\nbasemodel = \"gpt-5\"\nprompt = \"prompts/short.txt\"\n\
                prices = { input = \"1.25\", output = \"10\" }\nlimits = { max_steps = 3 }";

    let catalogue = entry(good).unwrap();
    let ModelKind::Agent(agent) = &catalogue.entries()[0].model.kind else { panic!("it is an agent") };
    let key = |extra: &str| entry(extra).unwrap_err()[0].key.clone();

    assert_eq!(agent.url, "https://x/v1");
    assert_eq!(agent.settings.prompt.version, "short");
    assert_eq!(agent.settings.limits.max_steps, 3);
    assert_eq!(key("basemodel = \"m\""), "models.a.base_url");
    let with_password = entry("basemodel = \"m\"\nbase_url = \"https://user:hush@x/v1\"").unwrap_err();
    assert_eq!(with_password[0].key, "models.a.base_url");
    assert!(with_password[0].problem.contains("a user or a password"), "{with_password:?}");
    assert!(!format!("{with_password:?}").contains("hush"), "{with_password:?}");
    assert_eq!(key("base_url = \"http://x\""), "models.a.basemodel");
    assert_eq!(key(&format!("{good}\ndecisions = \"d.csv\"")), "models.a.kind");
    let misspelt = entry(&format!("{good}\nmax_step = 4")).unwrap_err();
    assert!(misspelt[0].problem.contains("max_step"), "{misspelt:?}");
}

#[test]
fn a_language_model_has_a_dialect_which_its_hash_knows() {
    let entry = |kind: &str, extra: &str| {
        let address = if kind == "llm" { "base_url" } else { "url" };
        let text = format!(
            "[[models]]\nsignature = \"a\"\nkind = \"{kind}\"\n{address} = \"https://x/v1\"\nbasemodel = \"m\"\n{extra}"
        );
        parse(&text).map(|catalogue| catalogue.entries()[0].model.clone())
    };
    let of = |dialect: &str| entry("llm", &format!("dialect = \"{dialect}\"")).unwrap();
    let dialect = |model: &Model| match &model.kind {
        ModelKind::Agent(agent) => agent.dialect,
        ModelKind::Recorded(_) | ModelKind::Policy(_) => panic!("it is an agent"),
    };
    let (chat, messages, responses) = (of("chat_completions"), of("messages"), of("responses"));

    assert_eq!((dialect(&messages), dialect(&responses)), (Dialect::Messages, Dialect::Responses));
    assert_eq!(messages.kind.as_str(), "llm");
    assert_eq!(chat.config_hash, entry("llm", "").unwrap().config_hash, "the default changes no hash");
    assert_ne!(messages.config_hash, chat.config_hash);
    assert_ne!(messages.config_hash, responses.config_hash);
    let mistake = |kind: &str, extra: &str| entry(kind, extra).unwrap_err()[0].key.clone();
    assert_eq!(mistake("http", "dialect = \"messages\""), "models.a.dialect");
    assert_eq!(mistake("llm", "dialect = \"messages\"\nsampling = { seed = 1 }"), "models.a.sampling");
    assert!(entry("llm", "sampling = { seed = 1 }").is_ok());
    assert!(entry("llm", "dialect = \"agent\"").is_err());
}

#[test]
fn how_fast_an_endpoint_may_be_asked_changes_no_hash() {
    let hash = |extra: &str| {
        let text = format!("[[models]]\nsignature = \"a\"\nkind = \"http\"\nurl = \"http://x\"\n{extra}");
        parse(&text).unwrap().entries()[0].model.config_hash.clone()
    };

    assert_eq!(hash(""), hash("concurrency = 9\ntokens_per_minute = 5\ntimeout_seconds = 7"));
    assert_ne!(hash(""), hash("limits = { max_steps = 7 }"));
    assert_ne!(hash(""), hash("search = true"));
}

#[test]
fn a_training_cutoff_is_a_date_in_either_form_and_part_of_the_snapshot() {
    let cutoff = |value: &str| {
        let text = format!(
            "[[models]]\nsignature = \"a\"\nkind = \"policy\"\npolicy = {{ policy = \"cash\" }}\n{value}"
        );
        let day = "2025-10-01".parse().unwrap();
        parse(&text).map(|catalogue| catalogue.snapshot("a", day, day).unwrap().training_cutoff)
    };
    let expected = Some("2024-10-31".parse().unwrap());

    assert_eq!(cutoff(""), Ok(None));
    assert_eq!(cutoff("training_cutoff = 2024-10-31"), Ok(expected));
    assert_eq!(cutoff("training_cutoff = \"2024-10-31\""), Ok(expected));
    for wrong in ["\"2024-13-01\"", "\"2024-1-1\"", "2024-10-31T00:00:00", "20241031"] {
        let mistakes = cutoff(&format!("training_cutoff = {wrong}")).unwrap_err();
        assert_eq!(mistakes[0].key, "models.a.training_cutoff", "{wrong}");
        assert!(mistakes[0].problem.contains("is not a date"), "{wrong}: {}", mistakes[0].problem);
    }
}

#[test]
fn the_members_of_an_entry_make_the_same_model_again_without_its_files() {
    let text = "[[models]]\nsignature = \"a\"\nkind = \"recorded\"\ndecisions = \"d.csv\"\ntraining_cutoff = 2024-10-31\n\
                initial_cash = 2500.50\n\n\
                [[models]]\nsignature = \"b\"\nkind = \"llm\"\nbase_url = \"https://x/v1\"\nbasemodel = \"m\"\n\
                prompt = \"prompts/short.txt\"\nsampling = { temperature = 0.7, extra = { top_k = 1e16 } }\n\n\
                [[models]]\nsignature = \"c\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }";
    let read = |name: &str| {
        let text = if name == "d.csv" { DECISIONS } else { "Trade. {stop_token}" };
        Ok(text.to_owned())
    };
    let catalogue = Catalogue::parse(text, read).unwrap();

    for entry in catalogue.entries() {
        let stored = entry.members.to_string();
        let again =
            Entry::of_members(&entry.model.signature, serde_json::from_str(&stored).unwrap()).unwrap();

        assert_eq!((&again.model, again.enabled), (&entry.model, entry.enabled), "{stored}");
        assert_eq!(again.members, entry.members);
    }
    let ModelKind::Agent(agent) = &catalogue.entries()[1].model.kind else { panic!("it is an agent") };
    assert_eq!(agent.settings.prompt.version, "short");
}

#[test]
fn a_model_that_a_client_trades_has_no_endpoint_and_steps_for_its_calls() {
    let entry = |extra: &str| parse(&format!("[[models]]\nsignature = \"a\"\nkind = \"mcp\"\n{extra}"));
    let model = entry("").unwrap().entries()[0].model.clone();
    let ModelKind::Agent(agent) = &model.kind else { panic!("it is an agent") };

    assert_eq!((model.kind.as_str(), agent.dialect, agent.url.as_str()), ("mcp", Dialect::Mcp, "mcp:"));
    assert_eq!((agent.settings.limits.max_steps, agent.key_variable.clone()), (1_000, None));
    let rules = EndpointRules::new(AddressRules::new(Vec::new()), Vec::new());
    assert!(entry("").unwrap().endpoint_mistakes(&rules).is_empty(), "nothing is called");
    assert!(entry("").unwrap().paid().is_empty());
    for (extra, key) in [
        ("url = \"http://x\"", "models.a.url"),
        ("api_key_env = \"K\"", "models.a.api_key_env"),
        ("dialect = \"messages\"", "models.a.dialect"),
        ("policy = { policy = \"cash\" }", "models.a.kind"),
    ] {
        assert_eq!(entry(extra).unwrap_err()[0].key, key);
    }
}
