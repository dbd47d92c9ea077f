//! The list of sources: what it may say, and what is refused.

use std::path::PathBuf;

use domain::ingest::call_quota::Window;

use super::*;

/// A file with the list of sources; removed when dropped.
struct ListFile(PathBuf);

impl ListFile {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("modelday-sources-{}.toml", uuid::Uuid::now_v7()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for ListFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The sources of a file, or the mistakes.
fn read(text: &str, environment: &[(&str, &str)]) -> Result<Vec<SourceConfig>, String> {
    let file = ListFile::new(text);
    let path = file.0.display().to_string();
    let environment = environment.iter().copied().chain([("SOURCES_FILE", path.as_str())]);
    let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut settings = Settings::new(environment, None);
    let (sources, _) = sources(&mut settings, Duration::from_secs(1));
    settings.finish(Some(sources)).map_err(|mistakes| mistakes.to_string())
}

fn ids(source: &SourceConfig) -> Vec<&str> {
    source.windows.iter().map(Window::id).collect()
}

#[test]
fn the_list_of_the_repository_has_three_sources_and_uses_those_with_a_key() {
    let text = include_str!("../../../../../configs/sources.toml");

    let sources = read(text, &[("TIINGO_API_KEY", "T")]).unwrap();

    assert_eq!(
        sources.iter().map(|source| source.kind.name()).collect::<Vec<_>>(),
        ["alpha_vantage", "tiingo", "massive"]
    );
    assert_eq!(
        sources.iter().map(|source| source.access.is_some()).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(ids(&sources[0]), ["minute", "provider"], "as the settings of Alpha Vantage say");
    assert_eq!(ids(&sources[1]), ["hour", "day", "month", "provider"]);
    assert_eq!(ids(&sources[2]), ["minute", "provider"]);
}

#[test]
fn a_source_has_the_address_the_key_and_the_budgets_that_the_list_names() {
    let text = r#"
        [[sources]]
        kind = "massive"
        base_url = "https://api.polygon.io"
        key_variable = "POLYGON_KEY"
        budgets = [{ id = "pace", per = "second", limit = 10, kind = "rolling" }]

        [[sources]]
        kind = "alpha_vantage"
        key_variable = "OTHER_KEY"
    "#;

    let sources = read(text, &[("POLYGON_KEY", "P"), ("ALPHAVANTAGE_API_KEY", "A")]).unwrap();

    assert_eq!(sources[0].access.as_ref().unwrap().base_url, "https://api.polygon.io");
    assert_eq!(ids(&sources[0]), ["pace", "provider"]);
    assert!(sources[1].access.is_none(), "its key is in another setting");
}

#[test]
fn mistakes_are_reported_and_no_key_is_printed() {
    let with = |line: &str| format!("[[sources]]\nkind = \"tiingo\"\n{line}\n");
    let budget = "{ id = \"a\", per = \"hour\", limit = 1, kind = \"rolling\" }";
    for (text, problem) in [
        ("sources = []".to_owned(), "there is no source"),
        ("[[sources]]\nkind = \"yahoo\"".to_owned(), "unknown variant `yahoo`"),
        (with("budget = 5"), "unknown field `budget`"),
        (with("base_url = \"https://K3Y9SECRET@host\""), "not a plain http or https address"),
        (with(&format!("budgets = [{budget}, {budget}]")), "the budget \"a\" is there twice"),
    ] {
        let mistakes = read(&text, &[]).unwrap_err();

        assert!(mistakes.contains(problem) && !mistakes.contains("K3Y9SECRET"), "{mistakes}");
    }
}
