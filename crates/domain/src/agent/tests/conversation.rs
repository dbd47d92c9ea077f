//! How a day goes from request to request.

use serde_json::{Value, json};

use super::fixture::*;
use crate::agent::response::{Failure, FailureClass};
use crate::agent::session::SessionError;
use crate::agent::transcript::Role;
use crate::agent::{AssistantMessage, EndReason, ModelResponse, Next, Opening, Session};
use crate::market::as_of::AsOf;

fn reason(answers: &[ModelResponse]) -> (EndReason, usize) {
    let world = World::new();
    let market = world.market();
    let (requests, ended) = world.play(&market, answers);
    (ended.reason, requests.len())
}

#[test]
fn a_session_can_wait_in_another_thread() {
    fn check<T: Send>() {}
    check::<Session<'_>>();
}

#[test]
fn the_first_request_is_prompt_question_and_tools() {
    let world = World::new().with(json!({"sampling": {"temperature": "0.70", "seed": 7,
        "max_completion_tokens": 100, "extra": {"reasoning_effort": "low", "model": "other", "stream": true}}}));
    let market = world.market();

    let request = expect_call(&mut world.open(&market));

    let body = body(&request);
    assert_eq!((request.step, request.max_completion_tokens), (1, Some(100)));
    assert_eq!(body["model"], "base");
    assert_eq!(body["temperature"].to_string(), "0.7");
    assert_eq!((&body["seed"], &body["stream"]), (&json!(7), &json!(false)));
    assert_eq!(body["reasoning_effort"], "low");
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    let prompt = messages[0]["content"].as_str().unwrap();
    assert!(prompt.contains("CASH: 1000\n"), "{prompt}");
    assert!(prompt.contains("\nAAPL: 101.5\nMSFT: 255.25\n"), "{prompt}");
    assert!(prompt.contains("\nAAPL: 100\nMSFT: 256.575\n"), "{prompt}");
    assert_eq!(
        messages[1],
        json!({"role": "user", "content": "Please analyze and update today's (2025-10-02) positions."})
    );
}

#[test]
fn the_tools_are_the_documented_ones_and_the_search_only_when_it_is_on() {
    let names = |search: bool| {
        let world = World::new().with(json!({"search": search}));
        let market = world.market();
        let body = body(&expect_call(&mut world.open(&market)));
        let tools = body["tools"].as_array().unwrap().clone();
        let described = |tool: &Value| {
            let properties = tool["function"]["parameters"]["properties"].as_object().unwrap();
            let names = properties.keys().cloned().collect::<Vec<_>>().join(",");
            format!("{}({names})", tool["function"]["name"].as_str().unwrap())
        };
        tools.iter().map(described).collect::<Vec<_>>()
    };

    let always = [
        "get_price_local(date,symbol)",
        "get_price_history(days,symbol)",
        "get_position()",
        "buy(amount,symbol)",
        "sell(amount,symbol)",
        "add(a,b)",
        "multiply(a,b)",
    ];
    assert_eq!(names(false), always);
    assert_eq!(names(true), [&always[..], &["get_information(query)"]].concat());
}

#[test]
fn every_call_is_answered_in_order_before_the_next_request() {
    let world = World::new();
    let market = world.market();
    let calls = [("buy", r#"{"symbol":"AAPL","amount":4}"#), ("sell", r#"{"symbol":"AAPL","amount":1}"#)];

    let (requests, ended) = world.play(&market, &[call_tools(&calls), says("ok <FINISH_SIGNAL>")]);

    let messages = body(&requests[1])["messages"].as_array().unwrap()[2..].to_vec();
    assert_eq!(
        messages,
        [
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_0", "type": "function", "function": {"name": "buy", "arguments": "{\"amount\":4,\"symbol\":\"AAPL\"}"}},
                {"id": "call_1", "type": "function", "function": {"name": "sell", "arguments": "{\"amount\":1,\"symbol\":\"AAPL\"}"}},
            ]}),
            json!({"role": "tool", "tool_call_id": "call_0", "content": "{\"CASH\":600,\"AAPL\":4}"}),
            json!({"role": "tool", "tool_call_id": "call_1", "content": "{\"CASH\":700,\"AAPL\":3}"}),
        ]
    );
    assert_eq!((ended.reason, ended.steps), (EndReason::Finished, 2));
    assert_eq!(
        ended.summary,
        "On 2025-10-02 m bought 4 AAPL at 100, sold 1 AAPL at 100. It took 2 steps and 2 tool calls, \
         and ended with 700 dollars in cash and 1 position: it said that it was done."
    );
    let day = ended.book.close().unwrap();
    assert_eq!(day.fills.len(), 2);
}

#[test]
fn ids_are_made_unique_in_call_and_answer_alike() {
    let world = World::new();
    let market = world.market();
    let mut twice = call_tools(&[("get_position", "{}"), ("get_position", "{}"), ("get_position", "{}")]);
    if let ModelResponse::Message(message) = &mut twice {
        message.tool_calls[1].id = Some("call_0".to_owned());
        message.tool_calls[2].id = None;
    }

    let (requests, _) = world.play(&market, &[twice.clone(), twice, done()]);

    let body = body(&requests[2]);
    let messages = body["messages"].as_array().unwrap();
    let ids = |place: &str| {
        let of = |message: &Value| match place {
            "call" => message["tool_calls"].as_array().cloned().unwrap_or_default(),
            _ => vec![message.clone()],
        };
        let name = if place == "call" { "id" } else { "tool_call_id" };
        let ids =
            messages.iter().flat_map(of).filter_map(move |value| Some(value.get(name)?.as_str()?.to_owned()));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids("call"), ["call_0", "c00010001", "c00010002", "c00020000", "c00020001", "c00020002"]);
    assert_eq!(ids("answer"), ids("call"));
}

#[test]
fn a_model_that_neither_acts_nor_ends_is_reminded_once() {
    assert_eq!(reason(&[says("hm"), says("hm")]), (EndReason::NoMoreToSay, 2));
    assert_eq!(reason(&[says("hm"), done()]), (EndReason::Finished, 2));
    let position = || call_tools(&[("get_position", "")]);
    assert_eq!(reason(&[says("hm"), position(), says("hm"), done()]), (EndReason::Finished, 4));

    let world = World::new();
    let market = world.market();
    let (requests, _) = world.play(&market, &[says("hm"), done()]);
    let messages = body(&requests[1])["messages"].as_array().unwrap()[2..].to_vec();
    assert_eq!(messages[0], json!({"role": "assistant", "content": "hm"}));
    assert_eq!(
        messages[1],
        json!({"role": "user", "content": "Use the tools to act, or end the day with <FINISH_SIGNAL>."})
    );
}

#[test]
fn tools_called_with_the_last_word_still_run() {
    let world = World::new();
    let market = world.market();
    let mut last = call_tools(&[("buy", r#"{"symbol":"AAPL","amount":1}"#)]);
    if let ModelResponse::Message(message) = &mut last {
        message.done = true;
    }

    let (requests, ended) = world.play(&market, &[last]);

    assert_eq!((requests.len(), ended.reason), (1, EndReason::Finished));
    assert_eq!(results(&ended, 1), [r#"{"CASH":900,"AAPL":1}"#]);
}

#[test]
fn nothing_said_is_asked_for_once_more_with_the_same_request() {
    let empty = || ModelResponse::Message(AssistantMessage::empty());
    assert_eq!(reason(&[empty(), empty()]), (EndReason::NoDecision, 2));
    assert_eq!(reason(&[empty(), says("hm"), empty(), done()]), (EndReason::Finished, 4));

    let world = World::new();
    let market = world.market();
    let (requests, ended) = world.play(&market, &[empty(), done()]);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!((requests[0].step, requests[1].step), (1, 2));
    assert_eq!(ended.transcript.messages.len(), 4, "what was said stays on record");
}

#[test]
fn a_cut_answer_runs_nothing_and_may_be_longer_once() {
    let world = World::new().with(json!({"sampling": {"max_completion_tokens": 100}}));
    let market = world.market();
    let half = || cut(call_tools(&[("buy", r#"{"symbol":"AAPL","amount":1}"#)]));

    let (requests, ended) = world.play(&market, &[half(), half()]);

    assert_eq!(
        requests.iter().map(|request| request.max_completion_tokens).collect::<Vec<_>>(),
        [Some(100), Some(200)]
    );
    assert_eq!(body(&requests[1])["messages"], body(&requests[0])["messages"]);
    assert_eq!(ended.reason, EndReason::Length);
    assert!(ended.book.close().unwrap().fills.is_empty());
}

#[test]
fn a_filtered_answer_ends_the_day_and_a_failure_fails_it() {
    let filtered = ModelResponse::Message(AssistantMessage {
        finish: crate::agent::response::Finish::ContentFilter,
        ..AssistantMessage::empty()
    });
    let failed = ModelResponse::Failed(Failure::new(FailureClass::NoMoney, "no credit"));

    assert_eq!(reason(&[filtered]), (EndReason::ContentFilter, 1));
    assert_eq!(reason(&[failed]), (EndReason::Endpoint(FailureClass::NoMoney), 1));
}

#[test]
fn arguments_that_cannot_be_read_run_nothing_and_are_corrected_twice() {
    let world = World::new();
    let market = world.market();
    let bad = || call_tools(&[("buy", r#"{"symbol":"AAPL","amount":1}"#), ("buy", r#"{"symbol":"#)]);

    let (requests, ended) = world.play(&market, &[bad(), bad(), bad()]);

    assert_eq!((requests.len(), ended.reason), (3, EndReason::BadArguments));
    let answers = results(&ended, 1);
    assert_eq!(answers[0], r#"{"error":"not run: the arguments of another call could not be read"}"#);
    assert!(answers[1].starts_with(r#"{"error":"the arguments are not valid JSON: "#), "{}", answers[1]);
    let echoed = &body(&requests[1])["messages"][2]["tool_calls"][1]["function"]["arguments"];
    assert_eq!(echoed, "{}", "endpoints refuse a past that they cannot read");
    assert!(ended.book.close().unwrap().fills.is_empty());
}

#[test]
fn only_bad_arguments_in_a_row_end_the_day() {
    let bad = || call_tools(&[("buy", "[1]")]);
    let good = || call_tools(&[("get_position", "{}")]);
    assert_eq!(reason(&[bad(), bad(), good(), bad(), bad(), done()]), (EndReason::Finished, 6));

    let missing = || call_tools(&[("get_price_local", r#"{"symbols":["AAPL"],"date":"2025-10-01"}"#)]);
    assert_eq!(reason(&[missing(), bad(), missing()]), (EndReason::BadArguments, 3));
}

#[test]
fn the_caller_searches_and_later_calls_wait_for_the_result() {
    let world = World::new().with(json!({"search": true}));
    let market = world.market();
    let mut session = world.open(&market);
    expect_call(&mut session);
    let buy = ("buy", r#"{"symbol":"AAPL","amount":1}"#);
    let query = ("get_information", r#"{"query":"apple news"}"#);

    session.add_response(&call_tools(&[buy, query, buy])).unwrap();

    let search = expect_search(&mut session);
    assert_eq!((search.step, search.index, search.query.as_str()), (1, 1, "apple news"));
    assert_eq!(session.transcript().tool_results_of(1).count(), 1);
    assert_eq!(session.add_search_result(0, "?"), Err(SessionError::NoSearch { index: 0 }));
    session.add_search_result(1, "{\"results\":[]}").unwrap();
    assert_eq!(expect_call(&mut session).step, 2);
    let results: Vec<_> =
        session.transcript().tool_results_of(1).map(|result| result.content.as_str()).collect();
    assert_eq!(results, [r#"{"CASH":900,"AAPL":1}"#, r#"{"results":[]}"#, r#"{"CASH":800,"AAPL":2}"#]);
}

#[test]
fn without_search_the_tool_does_not_exist() {
    let world = World::new();
    let market = world.market();

    let (_, ended) = world.play(&market, &[call_tools(&[("get_information", r#"{"query":"x"}"#)]), done()]);

    assert!(
        results(&ended, 1)[0]
            .starts_with(r#"{"error":"Unknown tool get_information. Available tools: get_price_local, "#)
    );
}

#[test]
fn a_response_without_a_request_changes_nothing() {
    let world = World::new();
    let market = world.market();
    let mut session = world.open(&market);

    assert_eq!(session.add_response(&done()), Err(SessionError::NoCall));
    assert_eq!(session.add_search_result(0, ""), Err(SessionError::NoSearch { index: 0 }));

    assert_eq!(expect_call(&mut session), expect_call(&mut session), "the same until a response is added");
}

#[test]
fn the_parts_of_an_opening_are_of_one_day() {
    let world = World::new();
    let market = world.market();
    let book = world.open(&market).finish().book;

    let opened = Session::open(Opening {
        key: &world.key,
        settings: &world.settings,
        dialect: world.dialect,
        universe: &world.universe,
        as_of: AsOf::new(&world.table, &world.calendar, day("2025-10-03")),
        book,
        initial_cash: decimal("1000"),
    });

    assert!(matches!(opened.err(), Some(SessionError::Dates { .. })));
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    let world = World::new().with(json!({"search": true}));
    let market = world.market();
    let facts = [
        call_tools(&[
            ("buy", r#"{"symbol":"AAPL","amount":3}"#),
            ("get_information", r#"{"query":"q"}"#),
            ("nope", "{}"),
        ]),
        says("hm"),
        call_tools(&[("buy", "{")]),
        ModelResponse::Message(AssistantMessage::empty()),
        call_tools(&[("multiply", r#"{"a":0.1,"b":3}"#), ("sell", r#"{"symbol":"AAPL","amount":9}"#)]),
        done(),
    ];
    // A journal holds text, so the second session is fed what was written and read again.
    let journalled: Vec<ModelResponse> =
        serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();

    let (first, first_end) = world.play(&market, &facts);
    let (second, second_end) = world.play(&market, &journalled);

    assert_eq!(first.len(), 6);
    assert_eq!(first, second);
    assert_eq!(first_end.transcript, second_end.transcript);
    assert_eq!(first_end.summary, second_end.summary);
    assert_eq!(first_end.book.close().unwrap(), second_end.book.close().unwrap());
}

#[test]
fn a_transcript_is_read_as_it_was_written() {
    let world = World::new();
    let market = world.market();
    let (_, ended) = world.play(&market, &[call_tools(&[("buy", "{")]), says("hm"), done()]);

    let text = serde_json::to_string(&ended.transcript).unwrap();

    assert_eq!(serde_json::from_str::<crate::agent::Transcript>(&text).unwrap(), ended.transcript);
    let roles: Vec<_> = ended.transcript.messages.iter().map(|message| message.role).collect();
    use Role::{Assistant, System, Tool, User};
    assert_eq!(roles, [System, User, Assistant, Tool, Assistant, User, Assistant]);
}

#[test]
fn the_shell_may_end_the_day() {
    let world = World::new();
    let market = world.market();
    let mut session = world.open(&market);
    expect_call(&mut session);
    session.add_response(&call_tools(&[("get_position", "")])).unwrap();
    expect_call(&mut session);

    session.stop(EndReason::BudgetExhausted);
    session.stop(EndReason::WallTime);

    assert_eq!(expect_end(&mut session), EndReason::BudgetExhausted, "the first reason stays");
    let ended = session.finish();
    assert_eq!(ended.steps, 1, "the request that was not sent is no step");
    assert_eq!(ended.spent.calls, 1);
    let mut late = world.open(&market);
    late.stop(EndReason::WallTime);
    assert!(matches!(late.next(), Next::Ended(EndReason::WallTime)));
}
