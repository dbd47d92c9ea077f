//! Invalid settings are reported together, with file, key and fix.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use runtime::settings::Settings;
use trigger::Config;

use crate::folder::Folder;
use crate::stage::settings;

#[test]
fn development_calls_no_paid_endpoint_and_says_what_to_set_instead() {
    let folder = Folder::new();
    let models = folder.write(
        "models.toml",
        "[[models]]\nsignature = \"gpt\"\nkind = \"llm\"\nbasemodel = \"gpt\"\n\
         base_url = \"https://api.example.com/v1\"\napi_key_env = \"A_KEY\"\n",
    );
    let universe = "../../configs/universes/nasdaq100.json";
    let read = |more: &[(&str, &str)]| {
        let shared = [
            ("AMQP_URL", "amqp://127.0.0.1/%2f"),
            ("DATABASE_URL", "postgres://u@127.0.0.1/modelday"),
            ("DEPLOYMENT_MODE", "DEV"),
            ("MODELS_FILE", models.as_str()),
            ("UNIVERSE_FILE", universe),
        ];
        let environment =
            shared.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Config::from_settings(&mut Settings::new(environment.collect(), None), 8081)
    };

    let text = read(&[]).unwrap_err().to_string();
    assert!(
        text.contains("DEV_ENDPOINT_URL (environment): is not set, and in DEV nothing asks the endpoints of gpt; set it to"),
        "{text}"
    );
    let text = read(&[("DEV_ENDPOINT_URL", "localhost:8091")]).unwrap_err().to_string();
    assert!(text.contains("DEV_ENDPOINT_URL (environment): is not an http or https address"), "{text}");
    let config = read(&[("DEV_ENDPOINT_URL", "http://127.0.0.1:8091/v1/")]).unwrap();
    assert!(config.infrastructure.database.url.ends_with("/modelday_dev"));
    let start = "2025-10-01".parse().unwrap();
    let model = config.catalogue.snapshot("gpt", start, start).unwrap();
    assert!(format!("{:?}", model.kind).contains("\"http://127.0.0.1:8091/v1\""), "{:?}", model.kind);
    let text = read(&[("DEV_ENDPOINT_URL", "http://hush:hush@127.0.0.1:8091")]).unwrap_err().to_string();
    assert!(text.contains("DEV_ENDPOINT_URL (environment): contains a user or a password"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    let text = read(&[("DEV_ENDPOINT_URL", "http://10.0.0.9:8091/v1")]).unwrap_err().to_string();
    assert!(text.contains("DEV_ENDPOINT_URL (environment): leads to 10.0.0.9, an inside address"), "{text}");
    assert!(text.contains("add 10.0.0.9 to ENDPOINT_ALLOW") && !text.contains("models.gpt"), "{text}");
    let own_key = [("DEPLOYMENT_MODE", "PROD"), ("ENDPOINT_KEYS", "A_KEY@api.example.com")];
    let read_in_prod = read(&own_key).unwrap();
    assert!(read_in_prod.infrastructure.database.url.ends_with("/modelday"));
}

#[test]
fn models_that_name_other_keys_or_inside_addresses_are_refused_when_the_file_is_read() {
    let folder = Folder::new();
    let llm = |name: &str, url: &str, key: &str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"llm\"\nbasemodel = \"m\"\nbase_url = \"{url}\"\n{key}\n"
        )
    };
    let models = folder.write(
        "models.toml",
        &[
            llm("variable", "https://api.openai.com/v1", "api_key_env = \"DATABASE_URL\""),
            llm("host", "https://evil.example/v1", "api_key_env = \"OPENAI_API_KEY\""),
            llm("clear", "http://api.openai.com/v1", "api_key_env = \"OPENAI_API_KEY\""),
            llm("inside", "http://192.168.0.9:11434/v1", ""),
            llm("metadata", "http://169.254.169.254/latest", ""),
            llm("good", "https://api.openai.com/v1", "api_key_env = \"OPENAI_API_KEY\""),
            llm("local", "http://localhost:11434/v1", ""),
            "[[models]]\nsignature = \"own\"\nkind = \"http\"\nurl = \"http://10.0.0.1/\"\n".to_owned(),
        ]
        .concat(),
    );

    let text =
        Config::from_settings(&mut settings(&[("MODELS_FILE", &models)]), 8081).unwrap_err().to_string();

    for line in [
        "models.variable.api_key_env (FILE): names DATABASE_URL, which ENDPOINT_KEYS gives to no host; correct the \
         entry, or add DATABASE_URL@api.openai.com to ENDPOINT_KEYS",
        "models.host.api_key_env (FILE): names OPENAI_API_KEY, which belongs to api.openai.com and is not sent to \
         evil.example; correct the entry, or add OPENAI_API_KEY@evil.example to ENDPOINT_KEYS",
        "models.clear.api_key_env (FILE): names OPENAI_API_KEY, which would be sent to another machine without \
         encryption; use https",
        "models.inside.base_url (FILE): leads to 192.168.0.9, an inside address that ENDPOINT_ALLOW does not list; \
         write another address, or add 192.168.0.9 to ENDPOINT_ALLOW",
        "models.metadata.base_url (FILE): leads to 169.254.169.254, a link-local or metadata address",
        "models.own.url (FILE): leads to 10.0.0.1, an inside address",
    ] {
        let line = line.replace("FILE", &models);
        assert!(text.contains(&line), "{line:?} is not in:\n{text}");
    }
    assert!(text.contains("6 setting(s)"), "{text}");
}

#[test]
fn all_mistakes_of_all_files_are_reported_together() {
    let folder = Folder::new();
    let models = folder.write(
        "models.toml",
        "[[models]]\nsignature = \"a b\"\nkind = \"policy\"\npolicy = { policy = \"cash\" }\n\n\
         [[models]]\nsignature = \"c\"\nkind = \"recorded\"\ndecisions = \"missing.csv\"\n",
    );
    let universe = folder.write("universe.json", "{\"name\": \"x\", \"benchmark\": null, \"symbols\": []}");
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

    let text = Config::from_settings(&mut settings, 8081).unwrap_err().to_string();

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
        assert!(text.contains(&line), "{line:?} is not in:\n{text}");
    }
}

/// Starts the service as a process with these variables and this file; returns its exit code and its error output.
fn start(environment: &[(&str, &str)], file: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trigger"))
        .env_clear()
        .env("MODELDAY_CONFIG", file)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_service_that_does_not_start_reports_all_mistakes_together() {
    let folder = Folder::new();
    let models = folder.write(
        "models.toml",
        "[[models]]\nsignature = \"a\"\nkind = \"magic\"\n\n[[models]]\nsignature = \"b\"\nkind = \"policy\"\n",
    );
    let file = folder.write(
        "modelday.toml",
        &format!(
            "models_file = \"{models}\"\nuniverse_file = \"nowhere.json\"\nmax_active_jobs = \"many\"\n\
             amqp_url = \"http://guest:hush@127.0.0.1\"\nlisten = \"8081\"\nmax_job = 1\n"
        ),
    );
    let environment = [
        ("TRIGGER_DATABASE_URL", "mysql://modelday:hush@127.0.0.1/modelday"),
        ("DATABASE_CONNECTIONS", "0"),
        ("AMQP_CA_FILE", "nowhere.pem"),
        ("MAX_SIMULATION_DAYS", "-1"),
        ("SIMULATED_TODAY", "today"),
        ("DEPLOYMENT_MODE", "TEST"),
    ];

    let (code, text) = start(&environment, Path::new(&file));

    for line in [
        "trigger: 13 setting(s) cannot be used:".to_owned(),
        "TRIGGER_DATABASE_URL (environment): the database URL is not a valid postgres:// address; "
            .to_owned(),
        "DATABASE_CONNECTIONS (environment): \"0\": ".to_owned(),
        "AMQP_CA_FILE (environment): cannot be read: ".to_owned(),
        "MAX_SIMULATION_DAYS (environment): \"-1\": invalid digit found in string; write a number".to_owned(),
        "SIMULATED_TODAY (environment): \"today\" is not a date; write YYYY-MM-DD".to_owned(),
        "DEPLOYMENT_MODE (environment): \"TEST\": is neither PROD nor DEV; write PROD or DEV".to_owned(),
        format!("AMQP_URL ({file}): the broker URL is not a valid amqp:// or amqps:// address; "),
        format!("LISTEN ({file}): \"8081\": invalid socket address syntax; write address:port"),
        format!("MAX_ACTIVE_JOBS ({file}): \"many\": invalid digit found in string; write a number"),
        format!("max_job ({file}): is not a setting; correct its name or remove it"),
        format!("models.a ({models}): unknown variant `magic`"),
        format!("models.b.policy ({models}): is what a policy has, and all it has; add policy = "),
        "UNIVERSE_FILE (nowhere.json): cannot be read: ".to_owned(),
    ] {
        assert!(text.contains(&line), "{line:?} is not in:\n{text}");
    }
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(code, Some(78));
}

#[test]
fn missing_addresses_are_reported_together() {
    let mut settings = settings(&[("DATABASE_URL", ""), ("AMQP_URL", "")]);

    let text = Config::from_settings(&mut settings, 8081).unwrap_err().to_string();

    assert!(text.contains("DATABASE_URL (environment): is not set; set it to postgres://"), "{text}");
    assert!(text.contains("AMQP_URL (environment): is not set; set it to amqp://"), "{text}");
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let mut settings = settings(&[("AMQP_URL", "http://user:secret@host"), ("MAX_ACTIVE_JOBS", "x")]);

    let text = Config::from_settings(&mut settings, 8081).unwrap_err().to_string();

    assert!(text.contains("AMQP_URL"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn the_files_of_the_repository_can_be_used() {
    let config = Config::from_settings(&mut settings(&[]), 8081).unwrap();

    assert_eq!((config.max_active_jobs, config.max_days), (64, 3660));
    assert_eq!(config.infrastructure.address.listen.to_string(), "127.0.0.1:8081");
}
