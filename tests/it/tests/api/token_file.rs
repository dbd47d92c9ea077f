//! Tokens of a file that changes while the API is used.

use std::path::Path;

use it::{Shape, System, http};
use reqwest::StatusCode;
use serde_json::Value;
use test_support::eventually;

use crate::token::{MadeToken, make_token, make_token_with};

/// A folder with the file. It is removed with this value.
struct TokenFile(std::path::PathBuf);

impl TokenFile {
    fn new(entries: &[&MadeToken]) -> Self {
        let folder = std::env::temp_dir().join(format!("modelday-tokens-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let file = Self(folder.join("tokens"));
        file.write(&lines(entries));
        file
    }

    fn write(&self, text: &str) {
        let beside = self.0.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, &self.0).unwrap();
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap_or(Path::new("/nowhere")));
    }
}

fn lines(entries: &[&MadeToken]) -> String {
    entries.iter().map(|made| format!("{}\n", made.entry)).collect()
}

async fn get(system: &System, token: &MadeToken) -> (StatusCode, String) {
    let url = format!("{}/models", system.client.status_url);
    let response = http().get(url).bearer_auth(&token.token).send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    (status, body["detail"].as_str().unwrap_or_default().to_owned())
}

async fn until(system: &System, token: &MadeToken, status: StatusCode) {
    eventually(&format!("{} gets {status}", token.entry), async || {
        (get(system, token).await.0 == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn tokens_are_added_rotated_and_revoked_without_a_restart() {
    let [old, new] = [(); 2].map(|()| make_token("ci", &["read"]));
    let (other, fixed) = (make_token("other", &["read"]), make_token("fixed", &["read"]));
    let file = TokenFile::new(&[&old]);
    let system = System::builder(Shape::OneProcess)
        .env("API_TOKENS", &fixed.entry)
        .env("API_TOKENS_FILE", &file.0.display().to_string())
        .start()
        .await;
    assert_eq!(get(&system, &old).await.0, StatusCode::OK);
    assert_eq!(get(&system, &fixed).await.0, StatusCode::OK);
    assert_eq!(get(&system, &new).await.0, StatusCode::UNAUTHORIZED);

    file.write(&format!("# the next one of ci\n{}", lines(&[&old, &new, &other])));
    until(&system, &new, StatusCode::OK).await;
    assert_eq!(get(&system, &old).await.0, StatusCode::OK, "both of one name are valid while it is rotated");
    assert_eq!(get(&system, &other).await.0, StatusCode::OK);

    file.write(&lines(&[&new, &other]));
    until(&system, &old, StatusCode::UNAUTHORIZED).await;
    file.write("mdt_by_mistake");
    eventually("the mistake is logged", async || {
        system.logs().contains("the earlier API tokens stay valid").then_some(())
    })
    .await;
    assert_eq!(get(&system, &new).await.0, StatusCode::OK);
    assert!(!system.logs().contains("mdt_by_mistake"));

    file.write("");
    until(&system, &new, StatusCode::UNAUTHORIZED).await;
    assert_eq!(get(&system, &fixed).await.0, StatusCode::OK, "tokens of the setting stay");
}

#[tokio::test]
async fn without_any_token_in_its_file_the_api_stays_closed() {
    let token = make_token("ci", &["read"]);
    let file = TokenFile::new(&[]);
    let system = System::builder(Shape::OneProcess)
        .env("API_TOKENS_FILE", &file.0.display().to_string())
        .start()
        .await;

    let (status, _) = system.client.get("/models").await;

    assert_eq!(status, StatusCode::UNAUTHORIZED);
    file.write(&lines(&[&token]));
    until(&system, &token, StatusCode::OK).await;
}

#[tokio::test]
async fn a_token_expires() {
    let made = make_token_with("ci", &["read"], &["--expires", "2020-02-29"]);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &made.entry).start().await;

    let (status, detail) = get(&system, &made).await;

    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(detail, "This token ci expired at 2020-03-01T00:00:00Z; send another one");
}
