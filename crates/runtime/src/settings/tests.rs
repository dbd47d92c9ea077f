use super::*;

fn settings(environment: &[(&str, &str)], file: &str) -> Settings {
    let environment =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Settings::new(environment, Some((PathBuf::from("modelday.toml"), file.to_owned())))
}

#[test]
fn the_environment_overrides_the_file_and_the_file_overrides_the_default() {
    let mut settings = settings(&[("A", "1")], "a = 2\nb = 3");

    assert_eq!(settings.parsed("A", 0, "a number"), 1);
    assert_eq!(settings.parsed("B", 0, "a number"), 3);
    assert_eq!(settings.parsed("C", 4, "a number"), 4);
    assert_eq!(settings.finish(Some("read")), Ok("read"));
}

#[test]
fn all_mistakes_are_reported_together_with_place_key_and_fix() {
    let mut settings = settings(&[("A", "x")], "b = \"y\"\nd = 1");
    settings.parsed("A", 0, "write a number");
    settings.flag("B", false);
    let missing = settings.required("C", "set it");

    let text = settings.finish(missing).unwrap_err().to_string();

    assert!(text.contains("4 setting(s)"), "{text}");
    assert!(text.contains("A (environment): \"x\": invalid digit found in string; write a number"), "{text}");
    assert!(text.contains("B (modelday.toml)"), "{text}");
    assert!(text.contains("C (environment): is not set; set it"), "{text}");
    assert!(text.contains("d (modelday.toml): is not a setting"), "{text}");
}

#[test]
fn a_setting_that_may_hold_a_secret_is_never_repeated() {
    let mut settings = settings(
        &[
            ("API_TOKENS", "mdt_0123 mdt_4567"),
            ("AMQP_URL", "amqp://joe:s3cret@host/%2f"),
            ("DATABASE_URL", "postgres://joe:f1rst@one/d,postgres://joe:0ther@two/d"),
        ],
        "search_api_key = \"k3y9\"",
    );
    settings.parsed("API_TOKENS", 0, "write entries");
    settings.parsed("SEARCH_API_KEY", 0, "write a key");
    settings.invalid("AMQP_URL", "amqp://joe:s3cret@host/%2f: s3cret is no port".to_owned(), "set it");
    settings.invalid("DATABASE_URL", "f1rst is no port, nor is 0ther".to_owned(), "set it");
    settings.invalid("LISTEN", "mdt_4567 is no address".to_owned(), "set it");

    let text = settings.finish(Some(())).unwrap_err().to_string();

    for secret in ["mdt_0123", "mdt_4567", "s3cret", "k3y9", "f1rst", "0ther"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains("API_TOKENS (environment): invalid digit"), "{text}");
    assert!(text.contains("AMQP_URL (environment): [hidden]: [hidden] is no port; set it"), "{text}");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let mut settings = settings(&[("A", "")], "a = \"x\"");

    settings.parsed("A", 0, "write a number");

    let text = settings.finish(Some(())).unwrap_err().to_string();
    assert!(text.contains("A (modelday.toml): \"x\""), "{text}");
    assert_eq!(settings.place("A"), "modelday.toml");
}

#[test]
fn the_file_of_keys_adds_to_the_environment_and_a_mistake_in_it_shows_no_key() {
    let path = std::env::temp_dir().join(format!("modelday-keys-{}", std::process::id()));
    let named = path.display().to_string();
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let mut settings = settings(&[("KEYS_FILE", &named), ("A", "1"), ("B", "")], "a = 2\nb = 2\nc = 2");
        settings.read_keys();
        settings
    };

    let mut taken = read("A=x\nB='3'\nMY_KEY='k3y-of-mine'\n");
    let mut wrong = read("MY_KEY='k3y-of-mine'\nB=x\n");
    let mut broken = read("MY_KEY='k3y-of-mine\n");
    std::fs::remove_file(&path).unwrap();

    assert_eq!(["A", "B", "C"].map(|key| taken.parsed(key, 0, "a number")), [1, 3, 2]);
    assert_eq!((taken.variable("MY_KEY"), taken.place("B")), (Some("k3y-of-mine"), named.clone()));
    wrong.parsed("B", 0, "write a number");
    wrong.invalid("A", "k3y-of-mine is no number".to_owned(), "write a number");
    let text = wrong.finish(Some(())).unwrap_err().to_string();
    assert!(text.contains(&format!("B ({named}): \"x\"")) && !text.contains("k3y"), "{text}");
    let text = broken.finish(Some(())).unwrap_err().to_string();
    assert!(text.contains(&format!("line 1 ({named}): has a quote without its end")), "{text}");
    assert!(!text.contains("k3y"), "{text}");
}

#[test]
fn a_file_that_is_not_toml_is_reported_with_its_line() {
    let mut settings = settings(&[], "a = 1\nb = = 2");

    let text = settings.finish(Some(())).unwrap_err().to_string();

    assert!(text.contains("line 2 (modelday.toml): "), "{text}");
}
