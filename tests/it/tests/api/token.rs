//! Tokens made as an operator makes them.

use it::modelday;

/// A token and its entry for `API_TOKENS`.
pub(crate) struct Made {
    pub(crate) token: String,
    pub(crate) entry: String,
}

/// `modelday token NAME --scope ...`.
pub(crate) fn made(name: &str, scopes: &[&str]) -> Made {
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let output = modelday(&["token", name].into_iter().chain(scopes).collect::<Vec<_>>());
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |beginning: &str| {
        let line = text.lines().map(str::trim).find(|line| line.starts_with(beginning));
        line.unwrap_or_else(|| panic!("no {beginning} in {text}")).to_owned()
    };
    Made { token: line("mdt_"), entry: line(&format!("{name}:")) }
}
