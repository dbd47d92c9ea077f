//! Preparing the prices of a job: workers claim preparations and keep their leases, a preparer finds out what is
//! missing and has it downloaded, and the conclusion is the event that ends the preparation.

pub(crate) mod cancellation;
mod conclusion;
mod lease;
mod needed_dates;
pub(crate) mod preparer;
pub(crate) mod worker;
