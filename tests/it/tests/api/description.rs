//! The description of the API: the copy in `docs/` is the one of the code, and the page that shows it is complete.

use std::collections::BTreeSet;
use std::process::Command;

use it::{Shape, System, http, modelday};
use reqwest::StatusCode;
use serde_json::Value;

const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_copy_in_docs_and_the_types_of_the_python_package_are_what_the_code_says() {
    let described = String::from_utf8(modelday(&["openapi"]).stdout).unwrap();
    let is_update = std::env::var_os("MODELDAY_UPDATE_BASELINE").is_some();
    if is_update {
        std::fs::write(COPY, &described).unwrap();
    }
    let mut generator = Command::new("python3");
    generator.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../clients/python/generate.py"));
    if !is_update {
        generator.arg("--check");
    }

    let copy = std::fs::read_to_string(COPY).unwrap();
    let generated = generator.output().unwrap();

    assert!(
        copy == described,
        "docs/openapi.json is old: MODELDAY_UPDATE_BASELINE=1 cargo test -p it --test api"
    );
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
}

#[test]
fn every_route_says_which_scope_it_needs_and_nothing_is_named_twice() {
    let document: Value = serde_json::from_slice(&modelday(&["openapi"]).stdout).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = &operation["security"];
            let scope = security[0]["token"][0].as_str();
            let is_open = security == &serde_json::json!([{}]);
            assert!(
                is_open || ["read", "trigger", "operate"].contains(&scope.unwrap_or_default()),
                "{method} {path}: {security}"
            );
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path}: a second {name}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_server_shows_the_description_and_a_page_to_try_it() {
    let system = System::builder(Shape::OneProcess).start().await;
    let get = async |path: &str| {
        let answer = http().get(format!("{}{path}", system.client.status_url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };

    let served: Value = serde_json::from_str(&get("/openapi.json").await).unwrap();
    let copy: Value = serde_json::from_str(&std::fs::read_to_string(COPY).unwrap()).unwrap();
    assert_eq!(served, copy, "one process serves the whole API");

    let page = get("/docs/").await;
    let files: Vec<&str> = page.split(['"', '\'']).filter(|part| part.starts_with("./")).collect();
    assert!(files.len() >= 4, "{page}");
    for file in files {
        assert!(get(&format!("/docs/{}", file.trim_start_matches("./"))).await.len() > 10, "{file}");
    }
    assert!(get("/docs/swagger-initializer.js").await.contains("/openapi.json"));
}
