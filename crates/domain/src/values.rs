//! The values that all other rooms are made of: identities, dates, money and decimal arithmetic.

pub(crate) mod arithmetic;
pub(crate) mod bit_set;
pub mod date;
pub mod ids;
pub mod money;
pub mod spelling;
