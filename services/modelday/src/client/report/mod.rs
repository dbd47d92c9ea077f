//! A tear sheet: how portfolios did, in one file that opens anywhere and refers to nothing.

mod chart;
mod definitions;
mod fetch;
mod figures;
mod format;
mod heat_map;
mod html;
mod markdown;
mod sections;

pub(super) use fetch::{Selection, fetch};
pub(super) use html::html;
pub(super) use markdown::markdown;
