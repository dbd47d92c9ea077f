//! Private servers, started with `deploy/local/stack.sh`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The servers of one state folder. They are stopped, and their data is deleted, with this value.
pub struct Stack {
    state: PathBuf,
    tls: Option<PathBuf>,
}

impl Stack {
    /// A stack without servers; `name` is unique among the tests. With `tls`, a folder with certificates, the servers
    /// also speak TLS.
    pub fn new(name: &str, tls: Option<&Path>) -> Self {
        let folder =
            std::env::var("MODELDAY_TEST_STATE").map_or_else(|_| std::env::temp_dir(), PathBuf::from);
        Self { state: folder.join("stacks").join(name), tls: tls.map(Path::to_owned) }
    }

    /// Runs the script and returns its output. That goes through a file, because the servers keep a pipe open.
    pub fn run(&self, arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local/stack.sh");
        let path = std::env::temp_dir().join(format!("modelday-stack-{}", uuid::Uuid::now_v7()));
        let output = File::create(&path).expect("a file can be made");
        let mut command = Command::new(script);
        command.args(arguments).env("MODELDAY_STATE", &self.state).env("MODELDAY_ENGINE", "native");
        command.envs(self.tls.iter().map(|folder| ("MODELDAY_TLS", folder)));
        command.env_remove("DATABASE_URL").env_remove("AMQP_URL").env_remove("AMQP_MANAGEMENT_URL");
        command.stdin(Stdio::null()).stderr(output.try_clone().expect("a file can be shared")).stdout(output);
        let status = command.status().expect("the script runs");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        assert!(status.success(), "stack.sh {arguments:?}: {text}");
        text
    }

    /// The folder of their data.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// A variable that the services need for these servers.
    pub fn variable(&self, name: &str) -> String {
        let text = self.run(&["env"]);
        let prefix = format!("{name}=");
        let value = text.split_whitespace().find_map(|word| word.strip_prefix(&prefix));
        let value = value.unwrap_or_else(|| panic!("no {name} in {text}"));
        value.trim_matches(|c| c == '\'' || c == '"').to_owned()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.run(&["wipe"]);
    }
}
