//! Entries of `models.toml`, good and bad.

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
        parse(&text).unwrap().entries()[0].config_hash.clone()
    };

    assert_eq!(hash(""), hash("enabled = true\ntrials = 3"));
    assert_eq!(hash(""), hash("training_cutoff = 2024-10-31"));
    assert_ne!(hash(""), hash("initial_cash = 5000"));
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

    let told: Vec<_> = mistakes.iter().map(|one| (one.key.as_str(), one.problem.as_str())).collect();
    assert_eq!(told[0], ("models[0]", "missing field `signature`"));
    assert_eq!(told[1].0, "models.b");
    assert_eq!(told[2], ("models.c.trials", "0 is not 1 to 1000"));
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
    let EntryKind::Agent(agent) = &catalogue.entries()[0].kind else { panic!("it is an agent") };
    let key = |extra: &str| entry(extra).unwrap_err()[0].key.clone();

    assert_eq!(agent.url, "https://x/v1");
    assert_eq!(agent.settings.prompt.version, "short");
    assert_eq!(agent.settings.limits.max_steps, 3);
    assert_eq!(key("basemodel = \"m\""), "models.a.base_url");
    assert_eq!(key("base_url = \"http://x\""), "models.a.basemodel");
    assert_eq!(key(&format!("{good}\ndecisions = \"d.csv\"")), "models.a.kind");
    let misspelt = entry(&format!("{good}\nmax_step = 4")).unwrap_err();
    assert!(misspelt[0].problem.contains("max_step"), "{misspelt:?}");
}

#[test]
fn how_fast_an_endpoint_may_be_asked_changes_no_hash() {
    let hash = |extra: &str| {
        let text = format!("[[models]]\nsignature = \"a\"\nkind = \"http\"\nurl = \"http://x\"\n{extra}");
        parse(&text).unwrap().entries()[0].config_hash.clone()
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
