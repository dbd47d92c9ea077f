//! Tokens made with `modelday token`.

use it::modelday;

/// A token and its entry for `API_TOKENS`.
pub(crate) struct MadeToken {
    pub(crate) token: String,
    pub(crate) entry: String,
}

/// Makes a token: `modelday token NAME --scope ...`.
pub(crate) fn make_token(name: &str, scopes: &[&str]) -> MadeToken {
    make_token_with(name, scopes, &[])
}

/// The same with further options.
pub(crate) fn make_token_with(name: &str, scopes: &[&str], options: &[&str]) -> MadeToken {
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let arguments = ["token", name].into_iter().chain(scopes).chain(options.iter().copied());
    let output = modelday(&arguments.collect::<Vec<_>>());
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |beginning: &str| {
        let line = text.lines().map(str::trim).find(|line| line.starts_with(beginning));
        line.unwrap_or_else(|| panic!("no {beginning} in {text}")).to_owned()
    };
    MadeToken { token: line("mdt_"), entry: line(&format!("{name}:")) }
}
