//! `modelday token`: a new API token.

use std::collections::BTreeSet;

use clap::Args;
use rand::TryRngCore as _;
use runtime::access::{Expiry, Scope, generate, is_name};

/// The token's owner, and what the token allows.
#[derive(Args)]
pub(crate) struct TokenArguments {
    /// Its name, as logs and limits show it: letters, digits, `.`, `_`, `-`.
    #[arg(value_parser = name)]
    name: String,
    /// What it allows: read, trigger, operate; may be given several times.
    #[arg(long = "scope", required = true)]
    scopes: Vec<Scope>,
    /// The last date on which it is valid, in UTC, or the instant at which it ends: 2027-06-30 or 2027-06-30T12:00:00Z.
    #[arg(long, value_parser = expiry)]
    expires: Option<String>,
}

fn name(text: &str) -> Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 100 letters, digits, `.`, `_` or `-`, neither `anonymous` nor something like a token")
    }
}

fn expiry(text: &str) -> Result<String, String> {
    text.parse::<Expiry>().map(|_| text.to_owned()).map_err(|problem| problem.to_string())
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
    let (token, entry) = generate(&arguments.name, &scopes, arguments.expires.as_deref(), random);
    println!("The token, for its owner. It is not kept anywhere and cannot be shown again:\n\n  {token}\n");
    println!(
        "Its entry for a line of the servers' API_TOKENS_FILE, or for their setting API_TOKENS, where spaces separate \
         entries:\n\n  {entry}"
    );
    Ok(())
}
