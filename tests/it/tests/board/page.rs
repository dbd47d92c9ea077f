//! A page of the browser: what a user does on it, what it shows, and what is wrong with it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use serde_json::{Value, json};
use test_support::eventually;

use crate::browser::Shared;

const AXE: &str = include_str!("vendor/axe.min.js");
/// Notes violations of the page's policy.
const NOTE_VIOLATIONS: &str = "window.violations = []; addEventListener('securitypolicyviolation', (event) => \
    violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));";

/// A page.
pub(crate) struct Page {
    browser: Arc<Shared>,
    session: String,
}

impl Page {
    pub(crate) async fn new(browser: Arc<Shared>, session: String, width: u32) -> Self {
        let page = Self { browser, session };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            page.send(domain, json!({})).await;
        }
        page.send("Page.addScriptToEvaluateOnNewDocument", json!({ "source": NOTE_VIOLATIONS })).await;
        page.resize(width, 900).await;
        page
    }

    async fn send(&self, method: &str, params: Value) -> Value {
        self.browser.send(Some(&self.session), method, params).await
    }

    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.send("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Runs a script in every document before its own.
    pub(crate) async fn before_each(&self, script: &str) {
        self.send("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Light or dark.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.send("Emulation.setEmulatedMedia", feature).await;
    }

    /// Opens an address and waits until `text` is shown.
    pub(crate) async fn open(&self, url: &str, text: &str) {
        self.send("Page.navigate", json!({ "url": url })).await;
        self.shows(text).await;
    }

    /// The value of a JavaScript expression.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        let request = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.send("Runtime.evaluate", request).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, expression: &str) {
        let is_true = async || (self.eval(expression).await == json!(true)).then_some(());
        let deadline =
            tokio::time::timeout(std::time::Duration::from_secs(30), eventually(expression, is_true));
        if deadline.await.is_err() {
            panic!("never true: {expression}\n{}\n{:?}", self.text().await, self.troubles().await);
        }
    }

    /// Waits until the main part of the page has this text.
    pub(crate) async fn shows(&self, text: &str) {
        let text = json!(text);
        self.until(&format!("(document.getElementById('main')?.innerText ?? '').includes({text})")).await;
    }

    /// All that the page shows.
    pub(crate) async fn text(&self) -> String {
        self.eval("document.body?.innerText ?? ''").await.as_str().unwrap_or_default().to_owned()
    }

    /// The texts of all elements of a selector.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let selector = json!(selector);
        let texts = self
            .eval(&format!("[...document.querySelectorAll({selector})].map((one) => one.innerText.trim())"))
            .await;
        serde_json::from_value(texts).unwrap()
    }

    /// The labels of the vertical axis of the first chart.
    pub(crate) async fn texts_of_axis(&self) -> Vec<String> {
        let labels =
            self.eval("[...document.querySelectorAll('.ytick text')].map((one) => one.textContent)").await;
        serde_json::from_value(labels).unwrap()
    }

    /// Presses and releases a key such as `Tab` or `Enter`.
    pub(crate) async fn press(&self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            "Space" => " ",
            _ => "",
        };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Space" => 32,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => 0,
        };
        let key = if key == "Space" { " " } else { key };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "text": if kind == "keyUp" { "" } else { text },
                "windowsVirtualKeyCode": code });
            self.send("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Types where the focus is.
    pub(crate) async fn type_text(&self, text: &str) {
        for character in text.chars() {
            let event = json!({ "type": "char", "text": character.to_string() });
            self.send("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Presses Tab until the focus is on an element of `selector`.
    pub(crate) async fn tab_to(&self, selector: &str) {
        let focused = format!("document.activeElement?.matches({}) ?? false", json!(selector));
        for _ in 0..150 {
            if self.eval(&focused).await == json!(true) {
                return;
            }
            self.press("Tab").await;
        }
        panic!("Tab never reaches {selector}: {}", self.text().await);
    }

    /// Errors on the console, exceptions, and violations of the policy. Answers of the API that say no are none.
    pub(crate) async fn troubles(&self) -> Vec<String> {
        let events = self.browser.events(&self.session, |event| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Log.entryAdded") => {
                let entry = &event["params"]["entry"];
                entry["level"] == "error" && entry["source"] != "network"
            }
            _ => false,
        });
        let mut troubles: Vec<String> = events.iter().map(ToString::to_string).collect();
        let violations: Vec<String> =
            serde_json::from_value(self.eval("window.violations ?? []").await).unwrap();
        troubles.extend(violations);
        troubles
    }

    /// What axe finds: rule, help and the elements concerned.
    pub(crate) async fn barriers(&self) -> Vec<String> {
        self.eval(&format!("{AXE}; true")).await;
        let found = self
            .eval("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((one) => \
                `${one.id}: ${one.help}: ${one.nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} ${node.any?.[0]?.message ?? ''}`).join(' | ')}`))")
            .await;
        serde_json::from_value(found).unwrap()
    }

    /// Bytes of all responses so far.
    pub(crate) fn received(&self) -> u64 {
        let events = self.browser.events(&self.session, |event| event["method"] == "Network.loadingFinished");
        events.iter().filter_map(|event| event["params"]["encodedDataLength"].as_u64()).sum()
    }

    /// A picture of the whole page.
    pub(crate) async fn picture(&self, width: u32, file: &Path) {
        let height =
            self.eval("Math.min(document.documentElement.scrollHeight, 6000)").await.as_u64().unwrap();
        self.resize(width, u32::try_from(height).unwrap()).await;
        let shot = self
            .send("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true }))
            .await;
        let png = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, png).unwrap();
        self.resize(width, 900).await;
    }
}
