//! What brings back work that the broker or another process has lost.

pub(crate) mod catch_up;
pub(crate) mod reconciler;
pub(crate) mod unplannable;
