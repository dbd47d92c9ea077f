//! The messages as they were published are still there: nothing renamed, renumbered, retyped, removed.

use crate::fixture::proto_schemas;

mod compare;
mod schema;

use compare::breaks;
use schema::Schema;

const COMMAND: &str = "MODELDAY_UPDATE_BASELINE=1 cargo test -p contract";

#[test]
fn the_messages_keep_to_the_baseline() {
    let path = proto_schemas().join("baseline/modelday.v1.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let baseline: Schema = serde_json::from_str(&text).unwrap();

    let compiled = Schema::of(contract::DESCRIPTORS);

    let broken = breaks(&baseline, &compiled);
    assert!(
        broken.is_empty(),
        "consumers of v1 would break; make a v2 beside it, or undo this:\n  {}",
        broken.join("\n  ")
    );
    if std::env::var_os("MODELDAY_UPDATE_BASELINE").is_some() {
        std::fs::write(&path, compiled.to_json()).unwrap();
    } else {
        assert!(compiled == baseline, "the messages have grown; accept it with `{COMMAND}`");
        assert!(compiled.to_json() == text, "the baseline was edited by hand; write it with `{COMMAND}`");
    }
}
