//! The names of all settings. One file may be shared by all services, so each knows the settings of the others.

/// The settings of all services, by their names in the file.
pub(super) const NAMES: &[&str] = &[
    "agent_secrets",
    "agent_slice_ms",
    "agents_at_once",
    "allow_plain_amqp",
    "allow_plain_http",
    "allow_plain_postgres",
    "allowed_hosts",
    "alphaadvantage_api_key",
    "alphavantage_actions",
    "alphavantage_api_key",
    "alphavantage_base_url",
    "alphavantage_calls_per_day",
    "alphavantage_calls_per_minute",
    "alphavantage_plan",
    "amqp_ca_file",
    "amqp_url",
    "api_requests_per_minute",
    "api_tokens",
    "api_tokens_file",
    "database_connections",
    "database_url",
    "dead_letter_days",
    "default_results_lookback_days",
    "deployment_mode",
    "dev_endpoint_url",
    "download_concurrency",
    "download_timeout",
    "downloader_amqp_url",
    "downloader_database_url",
    "endpoint_allow",
    "endpoint_keys",
    "executor_amqp_url",
    "executor_database_url",
    "heavy_requests_at_once",
    "import_limit_mib",
    "jina_api_key",
    "keys_file",
    "lane_patience_seconds",
    "lane_slice_ms",
    "lanes_at_once",
    "listen",
    "listen_trusted_network",
    "market_closures",
    "massive_api_key",
    "max_active_jobs",
    "max_active_jobs_per_token",
    "max_budget_wait",
    "max_connections",
    "max_simulation_days",
    "max_streams_per_token",
    "message_auth",
    "modelday_database_url",
    "models_file",
    "outbound_proxy",
    "preparations_at_once",
    "preserve_dev_data",
    "public_url",
    "request_timeout_seconds",
    "retention_journal",
    "retention_outbox",
    "retention_transcripts",
    "search_api_key",
    "search_url",
    "simulated_today",
    "sources_file",
    "status_amqp_url",
    "status_database_url",
    "stream_heartbeat_seconds",
    "strict_requests",
    "tiingo_api_key",
    "tls_cert_file",
    "tls_key_file",
    "trace_context_to_models",
    "trace_context_to_providers",
    "trace_days",
    "trace_url_template",
    "trigger_amqp_url",
    "trigger_database_url",
    "trusted_proxies",
    "turns_in_line",
    "universe_file",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_documented_settings_are_those_of_the_code() {
        let text = include_str!("../../../../docs/configuration.md");
        let (services, _) = text.split_once("\n## Logs and traces\n").unwrap();
        let rows = services.lines().filter(|line| line.starts_with("| `"));
        let first_cells = rows.map(|row| row.split('|').nth(1).unwrap());
        let in_code_marks = first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let is_setting = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let mut documented: BTreeSet<String> =
            in_code_marks.filter(is_setting).map(str::to_lowercase).collect();
        // Other names of two keys are documented with them.
        documented.extend(["alphaadvantage_api_key", "jina_api_key"].map(str::to_owned));

        assert_eq!(documented, NAMES.iter().map(ToString::to_string).collect());
    }
}
