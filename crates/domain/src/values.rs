//! What everything else is made of: identities, money and exact arithmetic.

pub(crate) mod bit_set;
pub(crate) mod exact;
pub mod ids;
pub mod money;
