//! What the executor stores, against a real Postgres: lanes, days, ends of jobs, the outbox, and who may
//! write what.

mod closing;
mod days;
mod grants;
mod lanes;
mod outbox;
mod planning;
mod reconcile;
mod world;
