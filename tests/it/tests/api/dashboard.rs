//! The board: all of its files come from the server, without a token.

use std::collections::BTreeSet;

use it::{Shape, System, http};
use reqwest::{Response, StatusCode};

use crate::token::make_token;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The quoted texts after `before`.
fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let parts = text.split(before).skip(1);
    parts.filter_map(|part| part.strip_prefix('"')?.split_once('"').map(|(quoted, _)| quoted)).collect()
}

#[tokio::test]
async fn the_board_is_served_with_all_its_files_without_a_token() {
    let operator = make_token("operator", &["read", "operate"]);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &operator.entry).start().await;
    let get = async |path: &str| -> Response {
        http().get(format!("{}{path}", system.client.status_url)).send().await.unwrap()
    };

    let page = get("/").await;
    assert_eq!(
        (page.status(), &page.headers()["content-type"]),
        (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert_eq!(page.headers()["content-security-policy"], POLICY);
    let page = page.text().await.unwrap();
    let named = [quoted(&page, "src="), quoted(&page, "href=")].concat();
    let plotly =
        quoted(&page, "content=").into_iter().find(|path| path.starts_with("/board/assets/")).unwrap();
    let mut files: Vec<String> =
        named.into_iter().filter(|name| name.starts_with("/board/assets/")).map(str::to_owned).collect();
    files.extend(["plotly.js", "plotly.css"].map(|name| format!("{plotly}/{name}")));
    let own = files[0].rsplit_once('/').unwrap().0.to_owned();
    let mut seen = BTreeSet::new();
    while let Some(file) = files.pop() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let answer = get(&file).await;
        assert_eq!(answer.status(), StatusCode::OK, "{file}");
        assert_eq!(answer.headers()["content-security-policy"], POLICY, "{file}");
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        if !file.starts_with(plotly) {
            assert!(!text.contains("https://"), "{file} names another site");
            if file.ends_with(".js") {
                assert_eq!(kind, "text/javascript; charset=utf-8", "{file}");
                let imported = quoted(&text, "from ").into_iter().filter_map(|name| name.strip_prefix("./"));
                files.extend(imported.map(|name| format!("{own}/{name}")));
            }
        }
    }

    assert_eq!(seen.len(), 33, "{seen:?}");
    assert!(
        !page.contains("<style") && !page.contains("style=") && !page.contains("onclick"),
        "the policy forbids it"
    );
    for path in ["/board/jobs", "/board/jobs/x/y/2025-10-01", "/board/portfolios/default/gpt-5"] {
        assert_eq!(get(path).await.text().await.unwrap(), page, "{path}");
    }
    assert_eq!(get(&format!("{own}/none.js")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get("/jobs").await.status(), StatusCode::UNAUTHORIZED, "what it shows is not for everybody");
}
