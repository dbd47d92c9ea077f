//! A headless Chromium, driven by its own protocol over a pipe: JSON between NUL bytes.
//!
//! No crate is needed for it: those that wrap the protocol compile all of its thousand commands, of which a dozen are used.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use crate::page::Page;

/// The browser reads commands from descriptor 3 and writes to descriptor 4.
const PIPES: &str = "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--remote-debugging-pipe",
];

/// A running browser. It ends with this value.
pub(crate) struct Browser {
    shared: Arc<Shared>,
    profile: PathBuf,
    _child: Child,
}

/// What pages need of the browser.
pub(crate) struct Shared {
    commands: mpsc::UnboundedSender<String>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    /// The events of each session.
    events: Mutex<HashMap<String, Vec<Value>>>,
}

impl Browser {
    /// Starts Chromium with a new profile; `None` when it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let program = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&folders).any(|folder| folder.join(name).is_file())
        })?;
        let profile = std::env::temp_dir().join(format!("modelday-browser-{}", uuid::Uuid::now_v7()));
        let mut child = Command::new("sh")
            .args(["-c", PIPES, "sh", program])
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("sh runs");
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (commands, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            commands,
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            events: Mutex::default(),
        });
        tokio::spawn(write(stdin, queue));
        tokio::spawn(read(stdout, shared.clone()));
        Some(Self { shared, profile, _child: child })
    }

    /// A new page with no cookies, storage or cache of others.
    pub(crate) async fn page(&self, width: u32) -> Page {
        let context = self.shared.send(None, "Target.createBrowserContext", json!({})).await;
        let target = json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
        let target = self.shared.send(None, "Target.createTarget", target).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.shared.send(None, "Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        Page::new(self.shared.clone(), session, width).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

impl Shared {
    /// Sends a command and waits for its result.
    pub(crate) async fn send(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, sender);
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.commands.send(message.to_string()).expect("the browser runs");
        let answer = tokio::time::timeout(test_support::PATIENCE, receiver).await;
        let answer = answer.unwrap_or_else(|_| panic!("{method} has no answer")).expect("the browser runs");
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The events of a session so far that `matches` is true of.
    pub(crate) fn events(&self, session: &str, matches: impl Fn(&Value) -> bool) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events.get(session).into_iter().flatten().filter(|event| matches(event)).cloned().collect()
    }

    fn receive(&self, message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(waiting) = self.waiting.lock().unwrap().remove(&id) {
                let _ = waiting.send(message);
            }
        } else if let Some(session) = message["sessionId"].as_str().map(str::to_owned) {
            self.events.lock().unwrap().entry(session).or_default().push(message);
        }
    }
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<String>) {
    while let Some(message) = queue.recv().await {
        let sent = stdin.write_all(&[message.as_bytes(), b"\0"].concat()).await;
        if sent.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn read(stdout: ChildStdout, shared: Arc<Shared>) {
    let mut reader = BufReader::new(stdout);
    let mut message = Vec::new();
    while reader.read_until(0, &mut message).await.is_ok_and(|count| count > 0) {
        if let Ok(message) = serde_json::from_slice(message.strip_suffix(b"\0").unwrap_or(&message)) {
            shared.receive(message);
        }
        message.clear();
    }
}
