//! Faults, by causing them.

mod broker;
mod kill;
mod noise;
mod pause;
