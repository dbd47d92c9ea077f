//! The metrics of one thread, because the tests of one process run side by side.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// The metrics of one thread.
pub struct Counts(PrometheusHandle);

impl Counts {
    /// Records the metrics of this thread from now on, until it ends.
    pub fn of_this_thread() -> Self {
        let recorder: &'static PrometheusRecorder =
            Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        std::mem::forget(metrics::set_default_local_recorder(recorder));
        Self(recorder.handle())
    }

    /// The series of a counter that are above zero, sorted, such as `name{label="value"} 3`.
    pub fn of(&self, name: &str) -> Vec<String> {
        let text = self.0.render();
        let lines = text.lines().filter(|line| line.starts_with(name) && !line.ends_with(" 0"));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    }
}
