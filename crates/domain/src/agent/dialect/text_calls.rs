//! Tool calls that a model wrote into its text, because its server does not read the model's own form of calls.

mod delimited;
mod elements;
mod json;
mod marked;
mod pythonic;
mod tokens;

use delimited::Found;

use crate::agent::prompt::STOP_TOKEN;
use crate::agent::response::{AssistantMessage, ToolCall};

/// Between which marks models reason.
const REASONING: [(&str, &str); 12] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<analysis>", "</analysis>"),
    ("<scratchpad>", "</scratchpad>"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
];
/// Ends everything that is said, not reasoning alone.
const END: &str = "<|end|>";

/// `message` with the calls that stand in its text, when it has no others, and with whether it ends the day.
pub(super) fn understood(message: AssistantMessage) -> AssistantMessage {
    // Beside calls, the marker is a plan: their results are not known yet.
    if !message.tool_calls.is_empty() {
        return message;
    }
    let said = outside_reasoning(&message.content);
    let (rest, calls) = read(&said);
    if calls.is_empty() {
        AssistantMessage { done: said.contains(STOP_TOKEN), ..message }
    } else {
        AssistantMessage { content: rest, tool_calls: calls, ..message }
    }
}

/// `text` without the reasoning in it; what follows its beginning is reasoning until its end.
fn outside_reasoning(text: &str) -> String {
    let mut text = text.to_owned();
    for (opening, closing) in REASONING {
        let mut said = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(opening) {
            said.push_str(before);
            rest = after.split_once(closing).map_or("", |(_, after)| after);
        }
        said.push_str(rest);
        // Some templates open the reasoning themselves, so that only its end is in the text.
        text = match said.rsplit_once(closing) {
            Some((_, after)) if closing != END => after.to_owned(),
            Some(_) | None => said,
        };
    }
    text
}

/// The calls in `text`, and the text without them. There are none when any that is begun cannot be read.
fn read(text: &str) -> (String, Vec<ToolCall>) {
    let readers: [fn(&str) -> Option<Found>; 10] = [
        elements::tool_call,
        elements::function,
        elements::invoke,
        tokens::of_kimi_and_deepseek,
        tokens::of_harmony,
        tokens::of_mistral,
        json::whole,
        marked::marked,
        marked::fenced,
        marked::at_the_end,
    ];
    readers.iter().find_map(|read| read(text)).unwrap_or_else(|| (text.to_owned(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, rest: &str, expected: &[(&str, &str)]) {
        let (left, calls) = read(text);

        let found: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!((left.as_str(), found.as_slice()), (rest, expected), "{text}");
    }

    #[test]
    fn every_known_form_of_a_call_is_read() {
        let buy = [("buy", r#"{"amount":5,"symbol":"AAPL"}"#)];

        check(
            "I buy.\n<tool_call>\n{\"name\": \"buy\", \"arguments\": {\"symbol\": \"AAPL\", \"amount\": 5}}\n</tool_call>",
            "I buy.",
            &buy,
        );
        check(
            "<tool_call><function=buy>\n<parameter=symbol>\nAAPL\n</parameter>\n<parameter=amount>\n5\n</parameter>\n</function></tool_call>",
            "",
            &buy,
        );
        check("<function=buy>{\"symbol\": \"AAPL\", \"amount\": 5}</function>", "", &buy);
        check("{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}", "", &buy);
        check(
            "<|python_tag|>{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}",
            "",
            &buy,
        );
        check("<|python_tag|>buy.call(symbol=\"AAPL\", amount=5)", "", &buy);
        check("[buy(symbol='AAPL', amount=5)]", "", &buy);
        check("Now.\n```tool_code\nprint(default_api.buy(symbol=\"AAPL\", amount=5))\n```", "Now.", &buy);
        check(
            "<|tool_call_start|>[get_position(), buy(symbol=\"AAPL\", amount=5)]<|tool_call_end|>",
            "",
            &[("get_position", "{}"), buy[0]],
        );
        check(
            "```json\n{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}\n```",
            "",
            &buy,
        );
        check(
            "[TOOL_CALLS][{\"name\": \"buy\", \"arguments\": {\"symbol\": \"AAPL\", \"amount\": 5}}]",
            "",
            &buy,
        );
        check(
            "{\"name\": \"buy\", \"parameters\": {\"symbol\": \"AAPL\", \"amount\": 5}}; {\"name\": \"get_position\", \"parameters\": {}}",
            "",
            &[buy[0], ("get_position", "{}")],
        );
        check("[TOOL_CALLS]buy[ARGS]{\"symbol\": \"AAPL\", \"amount\": 5}", "", &buy);
        check(
            "<tool_call>buy\n<arg_key>symbol</arg_key>\n<arg_value>AAPL</arg_value>\n<arg_key>amount</arg_key>\n<arg_value>5</arg_value>\n</tool_call>",
            "",
            &buy,
        );
        check(
            "Now.\n<minimax:tool_call>\n<invoke name=\"buy\">\n<parameter name=\"symbol\">AAPL</parameter>\n<parameter name=\"amount\">5</parameter>\n</invoke>\n</minimax:tool_call>",
            "Now.",
            &buy,
        );
        check(
            "<｜DSML｜function_calls><｜DSML｜invoke name=\"buy\"><｜DSML｜parameter name=\"symbol\" string=\"true\">AAPL</｜DSML｜parameter><｜DSML｜parameter name=\"amount\" string=\"false\">5</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>",
            "",
            &buy,
        );
        check(
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.buy:0<|tool_call_argument_begin|>{\"symbol\": \"AAPL\", \"amount\": 5}<|tool_call_end|><|tool_calls_section_end|>",
            "",
            &buy,
        );
        check(
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>buy\n```json\n{\"symbol\": \"AAPL\", \"amount\": 5}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "",
            &buy,
        );
        check(
            "<|channel|>commentary to=functions.buy <|constrain|>json<|message|>{\"symbol\": \"AAPL\", \"amount\": 5}<|call|>",
            "",
            &buy,
        );
        check(
            "<tool_call>{\"name\":\"get_position\",\"arguments\":{}}</tool_call> and <tool_call>{\"name\":\"buy\",\"arguments\":{\"amount\":5,\"symbol\":\"AAPL\"}}",
            "and",
            &[("get_position", "{}"), buy[0]],
        );
    }

    #[test]
    fn json_is_a_call_between_any_marks_and_beside_other_text() {
        let buy = [("buy", r#"{"amount":5,"symbol":"AAPL"}"#)];
        let call = "{\"name\": \"buy\", \"arguments\": {\"symbol\": \"AAPL\", \"amount\": 5}}";
        for (opening, closing) in [
            ("<function_call>", "</function_call>"),
            ("<TOOLCALL>[", "]</TOOLCALL>"),
            ("<|tool_call|>[", "]<|/tool_call|>"),
            ("<|tool_call|>", ""),
            ("<|START_ACTION|>[", "]<|END_ACTION|>"),
            ("<tool_call>[", "]</tool_call>"),
            ("<tool_call>", "<tool_call>"),
            ("```json\n", "\n```"),
            ("```\n[", "]\n```"),
            ("\n", ""),
            ("\n[", "]"),
        ] {
            check(&format!("I buy. {opening}{call}{closing}"), "I buy.", &buy);
        }
        for call in [
            "{\"tool_calls\": [{\"function\": {\"name\": \"buy\", \"arguments\": \"{\\\"amount\\\":5,\\\"symbol\\\":\\\"AAPL\\\"}\"}}]}",
            "{\"type\": \"function\", \"function\": {\"name\": \"buy\", \"arguments\": {\"amount\": 5, \"symbol\": \"AAPL\"}}}",
            "{\"tool_name\": \"buy\", \"parameters\": {\"amount\": 5, \"symbol\": \"AAPL\"}}",
            "{\"tool\": \"buy\", \"args\": {\"amount\": 5, \"symbol\": \"AAPL\"}}",
            "{\"action\": \"buy\", \"action_input\": {\"amount\": 5, \"symbol\": \"AAPL\"}}",
        ] {
            check(call, "", &buy);
        }
        check("<tool_call>get_position\n</tool_call>", "", &[("get_position", "{}")]);
        check("[TOOL_CALLS]buy[CALL_ID]a1b2c3d4e[ARGS]{\"amount\":5,\"symbol\":\"AAPL\"}", "", &buy);
    }

    #[test]
    fn text_that_calls_nothing_stays_text() {
        for text in [
            "",
            "I would call buy({\"symbol\": \"AAPL\"}).",
            "{\"name\": \"Apple\", \"parameters\": {}}",
            "{\"answer\": 1}",
            "[]",
            "[1]",
            "I would go to=the moon",
            "[TOOL_CALLS] none",
            "<invoke name=buy>",
            "<tool_call>buy AAPL</tool_call>",
            "buy(symbol=\"AAPL\", amount=shares)",
            "I would write [buy(symbol=\"AAPL\", amount=5)] here.",
            "An example:\n```json\n{\"symbol\": \"AAPL\"}\n```",
            "{\"action\": \"buy\", \"reason\": \"it rises\"}",
        ] {
            check(text, text, &[]);
        }
    }

    #[test]
    fn reasoning_is_not_what_the_model_says() {
        assert_eq!(outside_reasoning("a<think>b</think>c"), "ac");
        assert_eq!(outside_reasoning("b</think>c"), "c");
        assert_eq!(outside_reasoning("a<think>b"), "a");
        assert_eq!(outside_reasoning("<think>b</think>c<think>d"), "c");
        assert_eq!(outside_reasoning("a < b"), "a < b");
        assert_eq!(outside_reasoning("[THINK]a[/THINK]b"), "b");
        let harmony = "<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b<|end|>";
        assert_eq!(outside_reasoning(harmony), "<|channel|>final<|message|>b<|end|>");
    }
}
