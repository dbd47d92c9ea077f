//! Which prices to fetch, within which quota of calls, and what an import or an answer is worth.

pub mod call_quota;
pub mod coverage;
pub mod fetch_plan;
pub mod import;
