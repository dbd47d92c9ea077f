//! What the metrics of the HTTP server mean, and its counters at 0.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram};

use super::failures::Reason;

/// Describes the metrics of the HTTP server, and begins its counters at 0.
pub(crate) fn declare_metrics() {
    describe_histogram!("http_server_request_duration_seconds", "Time until a response began.");
    describe_gauge!("modelday_degraded", "1 while this part of the process does not go on, 0 while it does.");
    describe_gauge!("modelday_database_connections", "Open connections of the pool, in use or idle.");
    describe_gauge!("modelday_database_connections_max", "How many connections the pool may open.");
    describe_counter!("modelday_failed_authentications_total", "Requests without a valid token.");
    describe_counter!(
        "modelday_http_connections_displaced_total",
        "Connections closed because MAX_CONNECTIONS was reached."
    );
    for reason in Reason::ALL {
        counter!("modelday_failed_authentications_total", "reason" => reason.as_str()).absolute(0);
    }
    counter!("modelday_http_connections_displaced_total").absolute(0);
}
