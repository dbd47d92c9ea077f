//! What people see: tables, the leaderboard, and writing to the terminal or a pipe.

pub(crate) mod grid;
pub(crate) mod leaderboard_table;
pub(crate) mod output;
pub(crate) mod table;
