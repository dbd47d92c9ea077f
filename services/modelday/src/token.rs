//! `modelday token`: a new API token.

use std::collections::BTreeSet;

use clap::Args;
use rand::TryRngCore as _;
use runtime::access::{Scope, generate};

/// The token's owner, and what the token allows.
#[derive(Args)]
pub(crate) struct TokenArguments {
    /// Its name, as logs and limits show it: letters, digits, `.`, `_`, `-`.
    #[arg(value_parser = name)]
    name: String,
    /// What it allows: read, trigger, operate; may be given several times.
    #[arg(long = "scope", required = true)]
    scopes: Vec<Scope>,
}

fn name(text: &str) -> Result<String, &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=100).contains(&text.len()) && text.chars().all(allowed);
    if fits { Ok(text.to_owned()) } else { Err("use 1 to 100 letters, digits, `.`, `_` or `-`") }
}

/// Prints the token and its entry for `API_TOKENS`. The token is not stored.
///
/// # Errors
/// When the system has no randomness.
#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(crate) fn token(arguments: &TokenArguments) -> anyhow::Result<()> {
    let mut random = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut random)?;
    let scopes: BTreeSet<Scope> = arguments.scopes.iter().copied().collect();
    let (token, entry) = generate(&arguments.name, &scopes, random);
    println!("The token, for its owner. It is not kept anywhere and cannot be shown again:\n\n  {token}\n");
    println!(
        "Its entry for the setting API_TOKENS of the servers; several stand side by side, with spaces between:\n\n  {entry}"
    );
    Ok(())
}
