//! Settings that cannot be used are told all at once, with file, key and fix.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runtime::settings::Settings;
use trigger::Config;

use crate::stage::settings;

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let folder = std::env::temp_dir().join(format!("modelday-settings-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let models = folder.join("models.toml");
    std::fs::write(
        &models,
        "[[models]]\nsignature = \"a b\"\nkind = \"policy\"\npolicy = { policy = \"cash\" }\n\n\
         [[models]]\nsignature = \"c\"\nkind = \"recorded\"\ndecisions = \"missing.csv\"\n",
    )
    .unwrap();
    let universe = folder.join("universe.json");
    std::fs::write(&universe, "{\"name\": \"x\", \"benchmark\": null, \"symbols\": []}").unwrap();
    let (models, universe) = (models.display().to_string(), universe.display().to_string());
    let environment: BTreeMap<String, String> = [
        ("AMQP_URL", "amqp://127.0.0.1/%2f"),
        ("LISTEN", "0.0.0.0:8081"),
        ("MODELS_FILE", &models),
        ("UNIVERSE_FILE", &universe),
        ("MAX_ACTIVE_JOBS", "many"),
        ("SIMULATED_TODAY", "yesterday"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let file = "max_simulation_days = \"long\"\nmax_simulation_day = 3".to_owned();
    let mut settings = Settings::new(environment, Some((PathBuf::from("modelday.toml"), file)));

    let told = Config::from_settings(&mut settings, 8081).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();

    for line in [
        "DATABASE_URL (environment): is not set; set it to postgres://".to_owned(),
        "LISTEN (environment): 0.0.0.0:8081 is open to others".to_owned(),
        format!("models.a b.signature ({models}): "),
        format!("models.c.decisions ({models}): "),
        format!("UNIVERSE_FILE ({universe}): has no symbols"),
        "MAX_ACTIVE_JOBS (environment): \"many\"".to_owned(),
        "SIMULATED_TODAY (environment): \"yesterday\" is not a date; write YYYY-MM-DD".to_owned(),
        "MAX_SIMULATION_DAYS (modelday.toml): \"long\"".to_owned(),
        "max_simulation_day (modelday.toml): is not a setting; correct its name or remove it".to_owned(),
    ] {
        assert!(told.contains(&line), "{line:?} is not in:\n{told}");
    }
}

#[test]
fn missing_addresses_are_told_together() {
    let mut settings = settings(&[("DATABASE_URL", ""), ("AMQP_URL", "")]);

    let told = Config::from_settings(&mut settings, 8081).unwrap_err().to_string();

    assert!(told.contains("DATABASE_URL (environment): is not set; set it to postgres://"), "{told}");
    assert!(told.contains("AMQP_URL (environment): is not set; set it to amqp://"), "{told}");
}

#[test]
fn a_password_in_an_address_is_not_told() {
    let mut settings = settings(&[("AMQP_URL", "http://user:secret@host"), ("MAX_ACTIVE_JOBS", "x")]);

    let told = Config::from_settings(&mut settings, 8081).unwrap_err().to_string();

    assert!(told.contains("AMQP_URL"), "{told}");
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn the_files_of_the_repository_can_be_used() {
    let config = Config::from_settings(&mut settings(&[]), 8081).unwrap();

    assert_eq!((config.max_active_jobs, config.max_days), (64, 3660));
    assert_eq!(config.infrastructure.listen.to_string(), "127.0.0.1:8081");
}
