//! Models that decide in memory: built-in policies and recorded orders.

pub mod policy;
pub mod recorded_orders;
pub mod situation;
