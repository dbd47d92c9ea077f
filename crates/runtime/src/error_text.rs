//! An error with its causes, as one line for people.

/// The text of `error` and its causes. A cause whose text is part of what was written already is left out.
pub fn error_text(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        if text.is_empty() {
            cause
        } else if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::error_text;

    #[test]
    fn a_cause_is_written_once() {
        let problem = anyhow!("no route").context("connecting: no route").context("starting");

        assert_eq!(error_text(&problem), "starting: connecting: no route");
    }
}
