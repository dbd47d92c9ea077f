//! Calls between tokens of a model's own, which its server should have read.

use super::delimited::{Found, between};
use super::json;

/// Kimi and DeepSeek: between the tokens of a call, the name, a separator and the arguments.
pub(super) fn of_kimi_and_deepseek(text: &str) -> Option<Found> {
    let kimi = ["<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"];
    let deepseek = ["<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"];
    let [opening, separator, closing] =
        [kimi, deepseek].into_iter().find(|[opening, ..]| text.contains(opening))?;
    let (mut rest, bodies) = between(text, opening, closing)?;
    let call = |body: &&str| {
        let (name, arguments) = body.split_once(separator)?;
        // DeepSeek once wrote the kind of the call first, and the name before fenced arguments.
        let (name, arguments) = match name.trim() {
            "function" => arguments.split_once('\n')?,
            name => (name, arguments),
        };
        json::named(name, arguments)
    };
    let calls = bodies.iter().map(call).collect::<Option<_>>()?;
    let around = [
        "<|tool_calls_section_begin|>",
        "<|tool_calls_section_end|>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁end｜>",
    ];
    for token in around {
        rest = rest.replace(token, "");
    }
    Some((rest.trim().to_owned(), calls))
}

/// gpt-oss: `<|channel|>commentary to=functions.buy <|constrain|>json<|message|>{...}<|call|>`.
pub(super) fn of_harmony(text: &str) -> Option<Found> {
    let (rest, bodies) = between(text, " to=", "<|call|>")?;
    let call = |body: &&str| {
        let (head, arguments) = body.split_once("<|message|>")?;
        let name = head.split(|c: char| c.is_whitespace() || c == '<').next()?;
        json::named(name, arguments)
    };
    let calls = bodies.iter().map(call).collect::<Option<_>>()?;
    let said = ["<|start|>assistant", "<|channel|>commentary", "<|channel|>analysis"];
    let rest = said.into_iter().fold(rest, |rest, token| rest.replace(token, ""));
    Some((rest.trim().to_owned(), calls))
}

/// Mistral: `[TOOL_CALLS][{"name": ..., "arguments": {...}}]`, or since 2025 `[TOOL_CALLS]buy[ARGS]{...}` for each call,
/// with `[CALL_ID]` and an id before the arguments in some models.
pub(super) fn of_mistral(text: &str) -> Option<Found> {
    let (before, calls) = text.split_once("[TOOL_CALLS]")?;
    let call = |call: &str| {
        let begin = call.find('{')?;
        let (name, arguments) = call.split_at(begin);
        json::named(name.split('[').next()?, arguments)
    };
    let each = || calls.split("[TOOL_CALLS]").map(call).collect::<Option<Vec<_>>>();
    Some((before.trim().to_owned(), json::calls(calls).or_else(each)?))
}
