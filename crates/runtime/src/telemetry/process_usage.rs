//! What the process uses of the machine, under the names that all Prometheus clients give it. Linux only; elsewhere the
//! metrics are absent.
//!
//! The text is written here, since counters of the crate `metrics` are whole numbers.

use std::fmt::{Display, Write as _};
use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The unit of times in `/proc`, on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

static STARTED: OnceLock<Duration> = OnceLock::new();

/// Notes that the process starts now.
pub(super) fn started() {
    STARTED.get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
}

/// The metrics of the process.
pub(super) fn text() -> String {
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: Option<&dyn Display>| {
        if let Some(value) = value {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        }
    };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let processor = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| processor_seconds(&stat));
    let memory = number(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024);
    let threads = number(&status, "Threads:");
    let files = fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
    let limit =
        fs::read_to_string("/proc/self/limits").ok().and_then(|limits| number(&limits, "Max open files"));
    let started = STARTED.get().map(Duration::as_secs_f64);
    add("process_cpu_seconds_total", "counter", "Processor time used.", as_display(&processor));
    add(
        "process_resident_memory_bytes",
        "gauge",
        "Memory in use that is not swapped out.",
        as_display(&memory),
    );
    add("process_threads", "gauge", "Threads.", as_display(&threads));
    add("process_open_fds", "gauge", "Open files and connections.", as_display(&files));
    add("process_max_fds", "gauge", "How many files and connections may be open.", as_display(&limit));
    add("process_start_time_seconds", "gauge", "When the process started, since 1970.", as_display(&started));
    text
}

fn as_display<T: Display>(value: &Option<T>) -> Option<&dyn Display> {
    value.as_ref().map(|value| value as &dyn Display)
}

/// User and system time in `/proc/self/stat`. The name of the program comes before them, and may have spaces.
fn processor_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// The first number after `name`, at the beginning of a line.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_spaces() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 9 0 1 2 3";

        assert_eq!(processor_seconds(stat), Some(3.0));
        assert_eq!(processor_seconds("7 (a) S"), None);
    }

    #[test]
    fn everything_is_known_of_this_process() {
        started();

        let text = text();

        for name in [
            "cpu_seconds_total",
            "resident_memory_bytes",
            "threads",
            "open_fds",
            "max_fds",
            "start_time_seconds",
        ] {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("process_{name} ")));
            let value: f64 = line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap();
            assert!(value > 0.0 || name == "cpu_seconds_total", "{name} is {value}");
        }
    }
}
