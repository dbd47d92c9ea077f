//! Versions of models and universes.

use std::sync::Arc;

use storage::trigger::catalogue::{
    Change, EntryKind, EntryVersion, NewEntry, Origin, entries, put, remove, state, take_file, versions,
};
use storage::{Owner, PgPool};
use test_support::TestDatabase;

fn entry(name: &str, definition: &str) -> NewEntry {
    NewEntry {
        name: name.to_owned(),
        definition: definition.to_owned(),
        config_hash: format!("hash of {definition}"),
    }
}

async fn listed(pool: &PgPool) -> Vec<(String, u32, Origin, String)> {
    let shown = |version: EntryVersion| {
        let (definition, _) = version.content.expect("it is not removed");
        (version.name, version.version, version.origin, definition)
    };
    entries(pool, EntryKind::Model).await.unwrap().into_iter().map(shown).collect()
}

#[tokio::test]
async fn an_entry_has_a_version_for_each_change_and_what_the_file_and_the_api_have_stays_apart() {
    let database = TestDatabase::new().await;
    let pool = database.pool(Owner::Trigger).await;
    let file = |names: &[(&str, &str)]| -> Vec<NewEntry> {
        names.iter().map(|(name, text)| entry(name, text)).collect()
    };
    let named = |name: &str, change| (name.to_owned(), change);

    let first = take_file(&pool, EntryKind::Model, &file(&[("b", "1"), ("a", "1")]), "start").await.unwrap();
    let again = take_file(&pool, EntryKind::Model, &file(&[("b", "1"), ("a", "1")]), "start").await.unwrap();
    let quiet = state(&pool).await.unwrap();
    let put_first = put(&pool, EntryKind::Model, &entry("a", "2"), "me").await.unwrap();
    let put_again = put(&pool, EntryKind::Model, &entry("a", "2"), "me").await.unwrap();
    let loud = state(&pool).await.unwrap();
    let last = take_file(&pool, EntryKind::Model, &file(&[("a", "3"), ("c", "1")]), "me").await.unwrap();
    let both = listed(&pool).await;
    let removed = remove(&pool, EntryKind::Model, "a", "me").await.unwrap();
    let removed_again = remove(&pool, EntryKind::Model, "a", "me").await.unwrap();
    let back = put(&pool, EntryKind::Model, &entry("a", "2"), "me").await.unwrap();

    assert_eq!(first, [named("b", Change::Added), named("a", Change::Added)]);
    assert_eq!(again, [named("b", Change::Unchanged), named("a", Change::Unchanged)]);
    assert_eq!((put_first, put_again), (Change::Added, Change::Unchanged));
    assert!(loud > quiet);
    assert_eq!(last, [named("a", Change::Changed), named("c", Change::Added), named("b", Change::Removed)]);
    let row = |name: &str, version, origin, text: &str| (name.to_owned(), version, origin, text.to_owned());
    let expected =
        [row("a", 3, Origin::File, "3"), row("c", 1, Origin::File, "1"), row("a", 2, Origin::Api, "2")];
    assert_eq!(both, expected);
    assert_eq!((removed, removed_again, back), (Change::Removed, Change::Unchanged, Change::Added));
    let history = versions(&pool, EntryKind::Model, "a", 10).await.unwrap();
    let numbers: Vec<_> =
        history.iter().map(|version| (version.version, version.content.is_some())).collect();
    assert_eq!(numbers, [(5, true), (4, false), (3, true), (2, true), (1, true)]);
    assert!(entries(&pool, EntryKind::Universe).await.unwrap().is_empty());
}

#[tokio::test]
async fn versions_that_many_store_at_once_are_numbered_one_after_another() {
    let database = TestDatabase::new().await;
    let pool = Arc::new(database.pool(Owner::Trigger).await);

    let puts = (0..20).map(|number| {
        let pool = Arc::clone(&pool);
        async move { put(&pool, EntryKind::Model, &entry("m", &number.to_string()), "me").await.unwrap() }
    });
    futures::future::join_all(puts).await;

    let history = versions(&pool, EntryKind::Model, "m", 100).await.unwrap();
    let numbers: Vec<u32> = history.iter().map(|version| version.version).collect();
    assert_eq!(numbers, (1..=20).rev().collect::<Vec<_>>());
}
