//! Options that take one of several values.

use clap::ValueEnum;

/// The value as the command line and the API write it.
pub(super) fn name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
