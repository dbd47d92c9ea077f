//! The JSON of a response, with what a map would lose: the order and the repetition of dates.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// An object's keys and values in order; keys may repeat.
#[derive(Debug)]
pub(super) struct Pairs<V>(pub(super) Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<V> {
    type Value = Pairs<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// The fields of one date.
pub(super) type DailyFields = Pairs<Value>;

/// A whole body. A key that repeats makes it malformed.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) meta: Option<Pairs<Value>>,
    pub(super) series: Option<Pairs<DailyFields>>,
    /// The texts that refuse a call, in the order of the body.
    pub(super) notices: Vec<String>,
    /// Whether the object has no key at all.
    pub(super) is_empty: bool,
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut body = Body { is_empty: true, ..Body::default() };
        while let Some(key) = map.next_key::<String>()? {
            body.is_empty = false;
            let repeated = match key.as_str() {
                "Meta Data" => body.meta.replace(map.next_value()?).is_some(),
                "Time Series (Daily)" => body.series.replace(map.next_value()?).is_some(),
                "Information" | "Note" | "Error Message" | "detail" => {
                    body.notices.push(map.next_value()?);
                    false
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if repeated {
                return Err(serde::de::Error::custom("a key occurs twice"));
            }
        }
        Ok(body)
    }
}

/// The text of the field whose name is `name` behind its number, as in `4. close`.
pub(super) fn field<'a>(pairs: &'a Pairs<Value>, name: &str) -> Option<&'a str> {
    let is_named = |key: &str| key.split_once(". ").is_some_and(|(_, behind)| behind == name);
    let mut named = pairs.0.iter().filter(|(key, _)| is_named(key));
    match (named.next(), named.next()) {
        (Some((_, value)), None) => value.as_str(),
        _ => None,
    }
}
