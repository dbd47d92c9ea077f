//! `GET /providers`: where prices come from, and how much of the call quota is left.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ingest::call_quota::{Counts, REFUSALS, Window, WindowKind, WindowSpec, WindowState};
use runtime::http::Problem;
use serde::Serialize;
use storage::market;
use utoipa::ToSchema;

use super::state::{Api, ProviderInfo};
use crate::download::quota::calls_left;

/// Where prices come from.
#[derive(Serialize, ToSchema)]
pub(crate) struct Providers {
    providers: Vec<ProviderBudget>,
}

/// A provider with its budget.
#[derive(Serialize, ToSchema)]
struct ProviderBudget {
    /// E.g. `alpha_vantage`.
    name: &'static str,
    /// What its key was bought for, as it is configured.
    plan: &'static str,
    /// Whether there is a key; without one nothing is downloaded.
    key_configured: bool,
    /// Calls left in the tightest window of an hour or more; null when there is none.
    calls_left: Option<u32>,
    /// Until when the provider has said that it refuses calls; null when it has not.
    refused_until: Option<String>,
    windows: Vec<BudgetWindow>,
}

/// A limit of the key.
#[derive(Serialize, ToSchema)]
struct BudgetWindow {
    id: String,
    /// `second`, `minute`, `hour`, `day` or `month`.
    per: &'static str,
    /// `rolling`, or `fixed` where all calls come back at once.
    kind: &'static str,
    /// The zone in which a fixed window begins.
    time_zone: Option<String>,
    /// `calls` or `distinct_symbols`.
    counts: &'static str,
    limit: u32,
    used: u32,
    /// 0 while the provider refuses.
    left: u32,
    /// When some of what was used, or in a fixed window all of it, is available again; null when nothing is used.
    resets_at: Option<String>,
}

/// Where prices come from, in order of preference, and how much of the budgets is left.
///
/// A key itself is never shown.
#[utoipa::path(get, path = "/providers", operation_id = "providers", tag = "prices", security(("token" = ["read"])),
    responses((status = 200, description = "The configured providers.", body = Providers)))]
pub(crate) async fn providers(State(api): State<Arc<Api>>) -> Result<Json<Providers>, Problem> {
    let now = storage::now(&api.context.pool).await?;
    let mut providers = Vec::new();
    for provider in api.sources.current().configured.iter().map(ProviderInfo::from) {
        let windows = match &provider.quota_key {
            Some(key) => market::peek_call_quota(&api.context.pool, key, &provider.windows).await?,
            None => provider.windows.iter().map(|window| (window.clone(), WindowState::default())).collect(),
        };
        providers.push(provider_budget(&provider, &windows, now));
    }
    Ok(Json(Providers { providers }))
}

fn provider_budget(
    provider: &ProviderInfo,
    windows: &[(Window, WindowState)],
    now: DateTime<Utc>,
) -> ProviderBudget {
    let refusals = windows.iter().filter_map(|(_, state)| state.blocked_until);
    let shown = windows.iter().filter(|(window, _)| window.id() != REFUSALS);
    ProviderBudget {
        name: provider.name,
        plan: provider.plan,
        key_configured: provider.quota_key.is_some(),
        calls_left: calls_left(windows, now),
        refused_until: refusals.filter(|until| *until > now).max().map(instant),
        windows: shown.map(|(window, state)| budget_window(window, state, now)).collect(),
    }
}

fn budget_window(window: &Window, state: &WindowState, now: DateTime<Utc>) -> BudgetWindow {
    let usage = window.usage(state, now);
    let spec = WindowSpec::from(window.clone());
    BudgetWindow {
        id: spec.id,
        per: window.per().as_str(),
        kind: match window.kind() {
            WindowKind::Rolling => "rolling",
            WindowKind::Fixed(_) => "fixed",
        },
        time_zone: spec.time_zone,
        counts: match window.counts() {
            Counts::Calls => "calls",
            Counts::DistinctSymbols => "distinct_symbols",
        },
        limit: usage.limit,
        used: usage.used,
        left: usage.left,
        resets_at: usage.resets_at.map(instant),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
