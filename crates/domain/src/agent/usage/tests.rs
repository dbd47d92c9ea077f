//! The price of calls, against the vectors and by hand.

use serde_json::{Value, json};

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn prices() -> TokenPrices {
    serde_json::from_value(json!({"input": "1.25", "cached_input": "0.125", "output": "10.00"})).unwrap()
}

fn usage(prompt: u64, completion: u64) -> Usage {
    Usage { prompt: Some(prompt), completion: Some(completion), ..Usage::default() }
}

#[test]
fn every_cost_vector_is_met_exactly() {
    let vectors: Value = serde_json::from_str(include_str!("../../../testdata/llm_responses.json")).unwrap();
    let vectors = vectors["cost_vectors"].as_array().unwrap();

    for vector in vectors {
        let prices: TokenPrices = serde_json::from_value(vector["price_per_million_usd"].clone()).unwrap();
        let usage: Usage = serde_json::from_value(vector["usage"].clone()).unwrap();
        let cost = cost(&usage, &prices).unwrap();
        assert_eq!(cost.to_string(), vector["cost_usd"].as_str().unwrap(), "{vector}");
    }
    assert_eq!(vectors.len(), 6);
}

#[test]
fn cache_writes_have_a_price_of_their_own_when_one_is_configured() {
    let prices = TokenPrices { cache_write: Some(decimal("2.5")), ..prices() };
    let usage = Usage { cached: Some(50), cache_write: Some(100), ..usage(194, 2) };

    assert_eq!(cost(&usage, &prices), Some(decimal("0.00033125")));
}

#[test]
fn unknown_or_contradicting_tokens_have_no_cost() {
    assert_eq!(cost(&Usage { completion: None, ..usage(5, 5) }, &prices()), None);
    assert_eq!(cost(&Usage { prompt: None, ..usage(5, 5) }, &prices()), None);
    assert_eq!(cost(&Usage { cached: Some(6), ..usage(5, 5) }, &prices()), None);
    assert_eq!(cost(&Usage { cached: Some(3), cache_write: Some(3), ..usage(5, 5) }, &prices()), None);
    assert_eq!(cost(&Usage { reasoning: Some(6), ..usage(5, 5) }, &prices()), None);
}

#[test]
fn of_two_costs_the_basis_decides() {
    let reported = Usage { reported_cost: Some(decimal("0.00095")), ..usage(194, 2) };
    let (priced, prices) = (decimal("0.0002625"), prices());

    assert_eq!(reported.cost(Some(&prices), CostBasis::Prices), Some(priced));
    assert_eq!(reported.cost(Some(&prices), CostBasis::Reported), reported.reported_cost);
    assert_eq!(reported.cost(None, CostBasis::Prices), reported.reported_cost);
    assert_eq!(usage(194, 2).cost(Some(&prices), CostBasis::Reported), Some(priced));
    assert_eq!(Usage::default().cost(Some(&prices), CostBasis::Prices), None);
}

#[test]
fn a_reservation_is_never_below_the_cost() {
    let prices = TokenPrices { cache_write: Some(decimal("3.75")), ..prices() };
    let written = Usage { cache_write: Some(1_000), ..usage(1_000, 85) };

    assert_eq!(reserve(1_000, 85, &prices), decimal("0.0046"));
    assert_eq!(cost(&written, &prices), Some(decimal("0.0046")));
    assert_eq!(reserve(u64::MAX, 1, &TokenPrices { input: Decimal::MAX, ..prices }), Decimal::MAX);
}

#[test]
fn usage_is_read_under_its_common_names() {
    let check = |json: Value, expected: Usage| assert_eq!(Usage::from_json(&json), expected, "{json}");

    check(Value::Null, Usage::default());
    check(json!({"prompt_tokens": 3, "completion_tokens": -1}), Usage { completion: None, ..usage(3, 0) });
    check(
        json!({"input_tokens": 3.0, "output_tokens": 4, "prompt_cache_hit_tokens": 2}),
        Usage { cached: Some(2), ..usage(3, 4) },
    );
    check(
        json!({"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.00001,
               "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2},
               "completion_tokens_details": {"reasoning_tokens": 4}}),
        Usage {
            cached: Some(1),
            cache_write: Some(2),
            reasoning: Some(4),
            reported_cost: Some(decimal("0.00001")),
            ..usage(3, 4)
        },
    );
    check(json!({"prompt_tokens_details": null, "cost": "-1"}), Usage::default());
}

#[test]
fn what_was_spent_adds_up_and_counts_what_is_unknown() {
    let mut spent = UsageTotal::default();

    spent.add(&UsageTotal::of_call(&usage(10, 5), Some(decimal("0.10"))));
    spent.add(&UsageTotal::of_call(&Usage::default(), None));
    spent.add(&UsageTotal::of_call(&usage(1, 2), Some(decimal("0.20"))));

    assert_eq!((spent.calls, spent.unknown_calls, spent.unpriced_calls), (3, 1, 1));
    assert_eq!((spent.prompt_tokens, spent.completion, spent.tokens()), (11, 7, 18));
    assert_eq!(spent.cost, Some(decimal("0.3")));
    assert_eq!(UsageTotal::of_call(&Usage::default(), None).cost, None);
}

#[test]
fn tokens_that_only_the_total_has_are_those_of_the_response() {
    let of = |usage: Value| {
        let usage = Usage::from_json(&usage);
        (usage.completion, usage.reasoning)
    };

    let beside = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45,
        "completion_tokens_details": {"reasoning_tokens": 30}});
    assert_eq!(of(beside), (Some(35), Some(30)));
    let unnamed = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45});
    assert_eq!(of(unnamed), (Some(35), Some(30)));
    let within = json!({"prompt_tokens": 10, "completion_tokens": 35, "total_tokens": 45,
        "completion_tokens_details": {"reasoning_tokens": 30}});
    assert_eq!(of(within), (Some(35), Some(30)));
    let cache = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "cached_tokens": 30});
    assert_eq!(of(cache), (Some(5), None), "they may be those of the cache");
    assert_eq!(of(json!({"completion_tokens": 5, "total_tokens": 45})), (Some(5), None));
}

#[test]
fn the_cost_has_the_names_of_every_gateway() {
    for name in ["cost", "total_cost", "estimated_cost"] {
        let usage = Usage::from_json(&json!({ name: 0.00095 }));
        assert_eq!(usage.reported_cost, Some(decimal("0.00095")), "{name}");
    }
}
