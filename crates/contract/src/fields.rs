//! Single values on the wire: dates, instants, decimals, ids, symbols.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::accounting::order::Side;
use domain::market::instruments::Symbol;
use domain::values::date::parse_date;
use rust_decimal::Decimal;

use crate::error::ContractError;
use crate::wire;

pub(crate) fn parse<T>(field: &'static str, text: &str) -> Result<T, ContractError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|problem| ContractError::invalid(field, format_args!("{text:?}: {problem}")))
}

pub(crate) fn date(field: &'static str, text: &str) -> Result<NaiveDate, ContractError> {
    parse::<NaiveDate>(field, text)?;
    parse_date(text).ok_or_else(|| ContractError::invalid(field, format_args!("{text:?} is not YYYY-MM-DD")))
}

pub(crate) fn dates(field: &'static str, texts: &[String]) -> Result<Vec<NaiveDate>, ContractError> {
    texts.iter().map(|text| date(field, text)).collect()
}

pub(crate) fn date_texts(dates: &[NaiveDate]) -> Vec<String> {
    dates.iter().map(NaiveDate::to_string).collect()
}

pub(crate) fn instant(field: &'static str, text: &str) -> Result<DateTime<Utc>, ContractError> {
    parse::<DateTime<chrono::FixedOffset>>(field, text).map(|instant| instant.to_utc())
}

pub(crate) fn instant_text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(crate) fn decimal(field: &'static str, text: &str) -> Result<Decimal, ContractError> {
    // The parser of `Decimal` also accepts digit groups (`1_000`), a plus sign and a point without digits.
    let plain = text.strip_prefix('-').unwrap_or(text);
    let (whole, places) = plain.split_once('.').unwrap_or((plain, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(places) {
        return Err(ContractError::invalid(field, format_args!("{text:?} is not a plain decimal number")));
    }
    Decimal::from_str_exact(text)
        .map_err(|problem| ContractError::invalid(field, format_args!("{text:?}: {problem}")))
}

/// Dollars, at least zero.
pub(crate) fn amount(field: &'static str, text: &str) -> Result<Decimal, ContractError> {
    let value = decimal(field, text)?;
    if value < Decimal::ZERO {
        return Err(ContractError::invalid(field, format_args!("{value} is below zero")));
    }
    Ok(value)
}

/// The price of a share: above zero.
pub(crate) fn price(field: &'static str, text: &str) -> Result<Decimal, ContractError> {
    let value = decimal(field, text)?;
    if value <= Decimal::ZERO {
        return Err(ContractError::invalid(field, format_args!("{value} is not above zero")));
    }
    Ok(value)
}

pub(crate) fn decimal_text(value: Decimal) -> String {
    value.normalize().to_string()
}

pub(crate) fn symbols(field: &'static str, texts: &[String]) -> Result<Vec<Symbol>, ContractError> {
    texts.iter().map(|text| parse(field, text)).collect()
}

pub(crate) fn symbol_texts(symbols: &[Symbol]) -> Vec<String> {
    symbols.iter().map(Symbol::to_string).collect()
}

/// A share count of a trade or a position: at least 1.
pub(crate) fn shares(field: &'static str, value: i64) -> Result<u64, ContractError> {
    match u64::try_from(value) {
        Ok(count @ 1..) => Ok(count),
        Ok(0) | Err(_) => Err(ContractError::invalid(field, format_args!("{value} is below 1"))),
    }
}

/// A number counted from 1; an absent field is 0.
pub(crate) fn from_one(field: &'static str, value: u32) -> Result<u32, ContractError> {
    if value == 0 { Err(ContractError::missing(field)) } else { Ok(value) }
}

/// A share count on the wire. Counts beyond its range do not occur: no portfolio has the cash for them.
pub(crate) fn quantity_wire(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn side(field: &'static str, value: i32) -> Result<Side, ContractError> {
    match wire::Side::try_from(value) {
        Ok(wire::Side::Buy) => Ok(Side::Buy),
        Ok(wire::Side::Sell) => Ok(Side::Sell),
        Ok(wire::Side::Unspecified) | Err(_) => Err(ContractError::invalid(field, "is neither buy nor sell")),
    }
}

pub(crate) fn side_wire(side: Side) -> i32 {
    match side {
        Side::Buy => wire::Side::Buy.into(),
        Side::Sell => wire::Side::Sell.into(),
    }
}

/// `None` for an empty text, which stands for an absent value.
pub(crate) fn optional(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
