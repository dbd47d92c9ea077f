//! The examples of `docs/events.md`, as they run.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use it::System;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use test_support::eventually;

/// A running example, which consumes a queue of its own.
pub(crate) struct Example {
    process: Child,
    folder: PathBuf,
    pub(crate) queue: &'static str,
}

impl Example {
    /// Starts the example and waits until it consumes its queue.
    pub(crate) async fn start(system: &System, mut command: Command, queue: &'static str) -> Self {
        let folder = std::env::temp_dir().join(format!("modelday-consumer-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let vhost = system.vhost.as_ref().unwrap();
        let process = command
            .env("AMQP_URL", vhost.reader_url())
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("out")).unwrap())
            .stderr(File::create(folder.join("err")).unwrap())
            .spawn()
            .unwrap();
        let mut example = Self { process, folder, queue };
        eventually("the example listens", async || {
            let ended = example.process.try_wait().unwrap();
            assert!(ended.is_none(), "the example ended: {}", example.file("err"));
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let connection = Connection::connect(vhost.url(), ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
            declared.ok().filter(|queue| queue.consumer_count() == 1)
        })
        .await;
        example
    }

    /// Its output lines, sorted, once there are `count` of them.
    pub(crate) async fn has_printed(&self, count: usize) -> Vec<String> {
        eventually(&format!("the example prints {count} lines"), async || {
            let mut lines: Vec<String> = self.file("out").lines().map(str::to_owned).collect();
            lines.sort();
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
