//! Names that were probably misspelt.

/// Differences that a misspelt name may have, at most.
const MAX_DISTANCE: usize = 3;

/// The name among `known` that `written` is probably meant to be: one that differs in a quarter of its characters or
/// fewer, or only in case and separators, or that begins with it.
pub fn near_miss<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = plain(written);
    let most = (written.chars().count() / 4).clamp(1, MAX_DISTANCE);
    let distance = |name: &str| {
        let name = plain(name);
        let begins_it = written.len() > 2 && name.starts_with(&format!("{written}_"));
        if begins_it { 0 } else { strsim::osa_distance(&written, &name) }
    };
    let near = known.into_iter().map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '-' | ' ' | '.') { '_' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_near_the_one_that_is_meant_and_another_word_is_not() {
        let known = ["start_date", "end_date", "models", "replace_existing", "on_failure"];
        let near = |written: &str| near_miss(written, known);

        assert_eq!(near("model"), Some("models"));
        assert_eq!(near("replace_exsisting"), Some("replace_existing"));
        assert_eq!(near("replaceExisting"), Some("replace_existing"));
        assert_eq!(near("Start-Date"), Some("start_date"));
        assert_eq!(near("start"), Some("start_date"));
        assert_eq!(near("onfailure"), Some("on_failure"));
        assert_eq!(near("comment"), None);
        assert_eq!(near("x"), None);
        assert_eq!(near(""), None);
    }
}
