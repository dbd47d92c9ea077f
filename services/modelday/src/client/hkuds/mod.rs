//! Folders of the project HKUDS/AI-Trader: what its agents ordered and held, its prices, and whether Modelday comes to the
//! same portfolios. Reads files and compares; calls nothing.

mod action;
mod comparison;
mod conversation;
mod folder;
mod holdings;
mod merged_prices;
mod recording;

pub(super) use comparison::{ComparedDay, OurDay, OurFill, Outcome, compare};
pub(super) use conversation::turns;
pub(super) use folder::{Folder, agent_of};
pub(super) use merged_prices::csv_of_merged;
pub(super) use recording::Recording;
