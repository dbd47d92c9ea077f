//! Keeps secrets out of the messages about settings.

/// How the names of settings end that may hold a secret, if only by mistake. Their values are never repeated.
const SECRET: [&str; 10] =
    ["_url", "_key", "_keys", "_token", "_tokens", "_password", "_secret", "_secrets", "_proxy", "_headers"];
/// What replaces a secret.
const HIDDEN: &str = "[hidden]";

/// Values that no message may have.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// These values, and the parts of them that are secrets of their own.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut secrets: Vec<String> = values.flat_map(parts).collect();
        // A part of a secret is not replaced before the whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

/// Whether a setting may hold a secret, by its name.
pub(super) fn may_be_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET.iter().any(|end| key.ends_with(end))
}

/// The whole value, its entries, and what stands before the `@` of a URL. Short texts are left out: they are no secrets,
/// and replacing them would make other words unreadable.
fn parts(value: &str) -> Vec<String> {
    let before_at = |entry: &'_ str| {
        let (before, _) = entry.rsplit_once('@')?;
        let login = before.split_once("://").map_or(before, |(_, login)| login);
        Some(login.split_once(':').map_or(login, |(_, password)| password).to_owned())
    };
    // In a list, commas or spaces stand between the entries.
    let entries = || value.split_whitespace().chain(value.split(',').map(str::trim));
    let passwords = entries().filter_map(before_at);
    let all = std::iter::once(value.to_owned()).chain(entries().map(str::to_owned)).chain(passwords);
    all.filter(|part| part.len() >= 4).collect()
}
