//! A terminal in which a person types: a pair of pseudo-terminal ends.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use test_support::eventually;

/// A program that runs in a terminal.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    /// How much of the screen was answered.
    answered: usize,
}

impl Terminal {
    pub(crate) fn run(mut command: Command) -> Self {
        let ours: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("its other end is ours");
        let name = ptsname(&ours, Vec::new()).expect("its other end has a name");
        let open = || File::options().read(true).write(true).open(name.to_str().unwrap()).expect("it opens");
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().expect("it runs");
        // The ends that the program has are its own alone, so that the screen ends with it.
        drop(command);
        let (keyboard, mut output) = (File::from(ours.try_clone().unwrap()), File::from(ours));
        let screen: Arc<Mutex<String>> = Arc::default();
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error says that the program has ended.
            while let Ok(count) = output.read(&mut bytes) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Self { child, keyboard, screen, answered: 0 }
    }

    /// Waits for a question, and types a line.
    pub(crate) async fn answer(&mut self, question: &str, line: &str) {
        let from = self.answered;
        let end = eventually(&format!("the question {question}: {}", self.shown()), async || {
            let shown = self.shown();
            shown[from..].find(question).map(|place| from + place + question.len())
        })
        .await;
        self.answered = end;
        writeln!(self.keyboard, "{line}").expect("it reads");
    }

    /// Waits for the end; whether it succeeded, and all that was on the screen.
    pub(crate) async fn ended(mut self) -> (bool, String) {
        let status = eventually("the program ends", async || self.child.try_wait().unwrap()).await;
        (status.success(), self.shown())
    }

    fn shown(&self) -> String {
        self.screen.lock().unwrap().clone()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
