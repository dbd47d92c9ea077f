//! How providers write class shares: Berkshire's B share is `BRK.B` to one and `BRK-B` to another.

use domain::market::instruments::Symbol;

/// What stands between a company and the class of its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// `BRK.B`.
    Dot,
    /// `BRK-B`.
    Dash,
}

/// `symbol` as a provider with this separator writes it.
pub(crate) fn spelled(symbol: &Symbol, separator: Separator) -> String {
    let separator = match separator {
        Separator::Dot => '.',
        Separator::Dash => '-',
    };
    let is_letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase());
    let text = symbol.as_str();
    match text.rsplit_once(['.', '-']) {
        Some((company, class)) if is_letters(company) && is_letters(class) && class.len() == 1 => {
            format!("{company}{separator}{class}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::symbol;

    #[test]
    fn a_class_share_is_written_as_the_provider_writes_it() {
        for text in ["BRK.B", "BRK-B"] {
            assert_eq!(spelled(&symbol(text), Separator::Dot), "BRK.B");
            assert_eq!(spelled(&symbol(text), Separator::Dash), "BRK-B");
        }
        assert_eq!(spelled(&symbol("AAPL"), Separator::Dash), "AAPL");
        assert_eq!(spelled(&symbol("SAP.DEX"), Separator::Dash), "SAP.DEX", "another exchange is no class");
    }
}
