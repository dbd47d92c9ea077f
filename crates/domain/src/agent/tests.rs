//! Whole days, told by scripted models.

mod agent_protocol;
mod attacks;
mod conversation;
mod corporate_actions;
mod field_cases;
mod fixture;
mod habits;
mod limits;
mod look_ahead;
mod messages;
mod responses;
mod sandbox;
