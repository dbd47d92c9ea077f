//! Tests of the tokens.

use super::*;

fn scopes(names: &[Scope]) -> BTreeSet<Scope> {
    names.iter().copied().collect()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn name(found: Found<'_>) -> Option<&str> {
    match found {
        Found::Valid(token) => Some(token.name()),
        Found::Expired(..) | Found::Unknown => None,
    }
}

#[test]
fn a_generated_token_is_found_by_its_secret_alone() {
    let (secret, entry) = generate("ci", &scopes(&[Scope::Read, Scope::Trigger]), None, [7; 32]);
    let (other, other_entry) = generate("ops", &scopes(&[Scope::Operate]), None, [8; 32]);
    let tokens: Tokens = format!("{entry} {other_entry}").parse().unwrap();
    let now = at("2026-01-01T00:00:00Z");

    let Found::Valid(found) = tokens.find(&secret, now) else { panic!("it is not found") };

    assert_eq!(&**found.name(), "ci");
    assert!(found.allows(Scope::Read) && found.allows(Scope::Trigger) && !found.allows(Scope::Operate));
    assert_eq!(name(tokens.find(&other, now)), Some("ops"));
    assert_eq!(tokens.find(&secret[..secret.len() - 1], now), Found::Unknown);
    assert_eq!(tokens.find("", now), Found::Unknown);
}

#[test]
fn a_token_is_valid_to_the_end_of_its_last_date() {
    let (secret, entry) = generate("ci", &scopes(&[Scope::Read]), Some("2026-06-30"), [7; 32]);
    let tokens: Tokens = entry.parse().unwrap();

    assert_eq!(name(tokens.find(&secret, at("2026-06-30T23:59:59Z"))), Some("ci"));
    let Found::Expired(token, end) = tokens.find(&secret, at("2026-07-01T00:00:00Z")) else {
        panic!("it has not expired")
    };
    assert_eq!((&**token.name(), end.to_string().as_str()), ("ci", "2026-07-01T00:00:00Z"));
}

#[test]
fn a_token_may_end_at_an_instant() {
    let (secret, entry) = generate("ci", &scopes(&[Scope::Read]), Some("2026-06-30T12:00:00+02:00"), [7; 32]);
    let tokens: Tokens = entry.parse().unwrap();

    assert_eq!(name(tokens.find(&secret, at("2026-06-30T09:59:59Z"))), Some("ci"));
    assert_eq!(name(tokens.find(&secret, at("2026-06-30T10:00:00Z"))), None);
}

#[test]
fn two_tokens_of_one_name_are_valid_while_one_is_rotated() {
    let [first, second, third] =
        [1, 2, 3].map(|byte| generate("ci", &scopes(&[Scope::Read]), None, [byte; 32]));
    let now = at("2026-01-01T00:00:00Z");
    let both: Tokens = format!("{}\n# the next one\n{}", first.1, second.1).parse().unwrap();

    assert_eq!(name(both.find(&first.0, now)), Some("ci"));
    assert_eq!(name(both.find(&second.0, now)), Some("ci"));
    assert_eq!(both.and(&third.1.parse().unwrap()), Err(InvalidToken::Repeated(3)));
}

#[test]
fn neither_the_entry_nor_the_debug_text_holds_the_secret() {
    let (secret, entry) = generate("ci", &scopes(&[Scope::Read]), None, [7; 32]);
    let tokens: Tokens = entry.parse().unwrap();

    let digits = secret.trim_start_matches(PREFIX);
    assert!(!entry.contains(digits), "{entry}");
    assert_eq!(format!("{tokens:?}"), r#"[Token { name: "ci", scopes: {Read}, .. }]"#);
}

#[test]
fn invalid_entries_are_named_by_their_place_and_not_repeated() {
    let digest = "0".repeat(64);
    let cases = [
        ("mdt_0123".to_owned(), InvalidToken::Shape(1)),
        (format!("a:read:{digest} b:write:{digest}"), InvalidToken::Scope(2)),
        (format!("a:read:{}", &digest[1..]), InvalidToken::Shape(1)),
        (format!("a:read:{}é", &digest[2..]), InvalidToken::Shape(1)),
        (format!(":read:{digest}"), InvalidToken::Name(1)),
        (format!("anonymous:read:{digest}"), InvalidToken::Name(1)),
        (format!("mdt_0123:read:{digest}"), InvalidToken::Name(1)),
        (format!("a:read:{digest}:soon"), InvalidToken::Expiry(1)),
        (format!("a:read:{digest}:2026-1-1"), InvalidToken::Expiry(1)),
    ];
    for (text, problem) in cases {
        assert_eq!(text.parse::<Tokens>(), Err(problem), "{text}");
    }
    assert!("".parse::<Tokens>().unwrap().is_empty());
    assert!("# none yet\n".parse::<Tokens>().unwrap().is_empty());
}
