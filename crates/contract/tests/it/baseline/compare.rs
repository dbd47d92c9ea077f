//! The breaking changes between two schemas.

use std::collections::BTreeMap;

use super::schema::{Field, Schema};

type Named<T> = BTreeMap<String, T>;

/// A sentence for each breaking change from `old` to `new`. Additions break nothing.
pub(super) fn breaks(old: &Schema, new: &Schema) -> Vec<String> {
    let mut broken = Vec::new();
    for (message, fields) in &old.messages {
        match new.messages.get(message) {
            Some(now) => broken.extend(broken_fields(message, fields, now)),
            None => broken.push(format!("message {message} was removed or renamed")),
        }
    }
    for (name, values) in &old.enums {
        match new.enums.get(name) {
            Some(now) => broken.extend(broken_values(name, values, now)),
            None => broken.push(format!("enum {name} was removed or renamed")),
        }
    }
    broken
}

fn broken_fields(message: &str, old: &Named<Field>, new: &Named<Field>) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, field) in old {
        let what = format!("field {message}.{name}");
        match new.get(name) {
            Some(now) => broken.extend(changes(field, now).map(|change| format!("{what} {change}"))),
            None => broken.push(lost(&what, new.iter().find(|(_, now)| now.number == field.number))),
        }
    }
    broken
}

fn broken_values(name: &str, old: &Named<i32>, new: &Named<i32>) -> Vec<String> {
    let mut broken = Vec::new();
    for (value, number) in old {
        let what = format!("enum value {name}.{value}");
        match new.get(value) {
            Some(now) if now == number => {}
            Some(now) => broken.push(format!("{what} was renumbered from {number} to {now}")),
            None => broken.push(lost(&what, new.iter().find(|(_, now)| *now == number))),
        }
    }
    broken
}

fn lost<T>(what: &str, heir: Option<(&String, &T)>) -> String {
    match heir {
        Some((heir, _)) => format!("{what} was renamed to {heir}"),
        None => format!("{what} was removed"),
    }
}

fn changes<'a>(old: &'a Field, new: &'a Field) -> impl Iterator<Item = String> {
    let oneof = |field: &'a Field| field.oneof.as_deref().unwrap_or("no oneof");
    let number =
        (old.number != new.number).then(|| format!("was renumbered from {} to {}", old.number, new.number));
    let r#type =
        (old.r#type != new.r#type).then(|| format!("was retyped from {} to {}", old.r#type, new.r#type));
    let label = (old.label != new.label).then(|| format!("became {} and was {}", new.label, old.label));
    let moved = (old.oneof != new.oneof).then(|| format!("moved from {} to {}", oneof(old), oneof(new)));
    [number, r#type, label, moved].into_iter().flatten()
}

fn compiled() -> Schema {
    Schema::of(contract::DESCRIPTORS)
}

/// What breaks when `change` is made to the messages.
fn broken_by(change: impl FnOnce(&mut Schema)) -> Vec<String> {
    let mut changed = compiled();
    change(&mut changed);
    assert_ne!(changed, compiled(), "the change must change something");
    breaks(&compiled(), &changed)
}

fn broken_by_field(message: &str, field: &str, change: impl FnOnce(&mut Field)) -> Vec<String> {
    broken_by(|schema| {
        let fields = schema.messages.get_mut(&format!("modelday.v1.{message}")).unwrap();
        change(fields.get_mut(field).unwrap());
    })
}

#[test]
fn additions_break_nothing() {
    let broken = broken_by(|schema| {
        let field = Field { number: 99, r#type: "string".into(), label: "singular".into(), oneof: None };
        schema.messages.get_mut("modelday.v1.Job").unwrap().insert("note".into(), field);
        schema.messages.insert("modelday.v1.New".into(), Default::default());
        schema.enums.get_mut("modelday.v1.Side").unwrap().insert("SIDE_SHORT".into(), 3);
    });

    assert_eq!(broken, [""; 0]);
}

#[test]
fn a_changed_field_is_named() {
    let renumbered = broken_by_field("Job", "job_id", |field| field.number = 9);
    let retyped = broken_by_field("Holding", "quantity", |field| field.r#type = "uint32".into());
    let relabelled =
        broken_by_field("DownloadProgressed", "budget_left", |field| field.label = "singular".into());
    let moved = broken_by_field("Model", "policy", |field| field.oneof = None);

    assert_eq!(renumbered, ["field modelday.v1.Job.job_id was renumbered from 1 to 9"]);
    assert_eq!(retyped, ["field modelday.v1.Holding.quantity was retyped from int64 to uint32"]);
    assert_eq!(
        relabelled,
        ["field modelday.v1.DownloadProgressed.budget_left became singular and was optional"]
    );
    assert_eq!(moved, ["field modelday.v1.Model.policy moved from kind to no oneof"]);
}

#[test]
fn a_lost_field_is_named_with_its_heir() {
    let fields = |schema: &mut Schema| schema.messages.remove("modelday.v1.Base").unwrap();
    let removed = broken_by(|schema| {
        let mut fields = fields(schema);
        fields.remove("revision");
        schema.messages.insert("modelday.v1.Base".into(), fields);
    });
    let renamed = broken_by(|schema| {
        let mut fields = fields(schema);
        let field = fields.remove("revision").unwrap();
        fields.insert("version".into(), field);
        schema.messages.insert("modelday.v1.Base".into(), fields);
    });

    assert_eq!(removed, ["field modelday.v1.Base.revision was removed"]);
    assert_eq!(renamed, ["field modelday.v1.Base.revision was renamed to version"]);
}

#[test]
fn lost_messages_and_changed_enums_are_named() {
    let message = broken_by(|schema| drop(schema.messages.remove("modelday.v1.JobCancel")));
    let values = broken_by(|schema| drop(schema.enums.remove("modelday.v1.Side")));
    let renumbered = broken_by(|schema| {
        schema.enums.get_mut("modelday.v1.Side").unwrap().insert("SIDE_SELL".into(), 7);
    });
    let removed = broken_by(|schema| {
        schema.enums.get_mut("modelday.v1.Side").unwrap().remove("SIDE_SELL");
    });

    assert_eq!(message, ["message modelday.v1.JobCancel was removed or renamed"]);
    assert_eq!(values, ["enum modelday.v1.Side was removed or renamed"]);
    assert_eq!(renumbered, ["enum value modelday.v1.Side.SIDE_SELL was renumbered from 2 to 7"]);
    assert_eq!(removed, ["enum value modelday.v1.Side.SIDE_SELL was removed"]);
}
