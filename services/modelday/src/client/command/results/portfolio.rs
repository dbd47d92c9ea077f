//! The name of a portfolio in a table.

/// The model's name, with the trial when it is not trial 0.
pub(super) fn name(model: &str, trial: u32) -> String {
    if trial == 0 { model.to_owned() } else { format!("{model} #{trial}") }
}
