//! What results are worth: metrics, benchmarks, the leaderboard, and whether differences are significant.

pub mod benchmark;
pub mod leaderboard;
pub mod metrics;
pub mod significance;
