//! Where prices come from: which ones are missing, which calls fetch them within the provider's quota, and imports.

pub mod call_quota;
pub mod coverage;
pub mod fetch_plan;
pub mod import;
pub mod job_symbols;
pub mod needed_symbols;
pub mod outlook;
pub mod refusals;
