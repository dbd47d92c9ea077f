//! Query parameters, as all services read them.

pub(crate) use runtime::http::{Params, strict_date};
