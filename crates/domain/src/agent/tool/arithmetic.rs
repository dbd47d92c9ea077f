//! Exact sums and products.

use rust_decimal::Decimal;

use crate::agent::json::{Object, error};
use crate::values::arithmetic::{exact_product, exact_sum};

pub(super) fn sum(a: Decimal, b: Decimal) -> String {
    answer(exact_sum(a, b))
}

pub(super) fn product(a: Decimal, b: Decimal) -> String {
    answer(exact_product(a, b))
}

fn answer(result: Option<Decimal>) -> String {
    match result {
        Some(result) => Object::new().decimal("result", result).finish(),
        None => error("The result needs more than 28 digits"),
    }
}
