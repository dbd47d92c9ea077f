//! Performance of portfolios: metrics, benchmarks, the leaderboard, and the significance of differences.

pub mod benchmark;
pub mod leaderboard;
pub mod metrics;
pub mod significance;
