//! The kinds of files, with their columns.

use std::fmt;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// Daily bars.
    Bars,
    /// Splits.
    Splits,
    /// Dividends.
    Dividends,
    /// Spin-offs.
    SpinOffs,
    /// Changes of symbols.
    Renames,
    /// Mergers, for shares, for cash, or for both.
    Mergers,
    /// Ends of trading.
    Delistings,
}

impl ImportKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Bars,
        Self::Splits,
        Self::Dividends,
        Self::SpinOffs,
        Self::Renames,
        Self::Mergers,
        Self::Delistings,
    ];

    /// Its stable name, in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Splits => "splits",
            Self::Dividends => "dividends",
            Self::SpinOffs => "spin_offs",
            Self::Renames => "renames",
            Self::Mergers => "mergers",
            Self::Delistings => "delistings",
        }
    }

    /// The kind that is meant by `name`, in the singular or the plural, in any case and with any separator:
    /// `spin_offs`, `Spin-off`, `spinoffs`. Mergers may be named by what they are for: `cash_mergers`.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
            letters.to_ascii_lowercase().trim_end_matches('s').to_owned()
        };
        let name = plain(name);
        let name = name.strip_prefix("cash").or_else(|| name.strip_prefix("stock")).unwrap_or(&name);
        Self::ALL.into_iter().find(|kind| plain(kind.as_str()) == name)
    }

    /// The columns that every file has, in the order of a row's fields; [`Self::optional`] come after them.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Bars => &["symbol", "date", "open", "high", "low", "close", "volume"],
            Self::Splits => &["symbol", "date", "ratio"],
            Self::Dividends => &["symbol", "date", "amount"],
            Self::SpinOffs => &["symbol", "date", "ratio", "new_symbol"],
            Self::Renames => &["symbol", "date", "new_symbol"],
            Self::Mergers | Self::Delistings => &["symbol", "date"],
        }
    }

    /// The columns that a file may have beside them.
    pub fn optional(self) -> &'static [&'static str] {
        match self {
            Self::Mergers => &["ratio", "new_symbol", "amount"],
            Self::Delistings => &["amount"],
            Self::Bars | Self::Splits | Self::Dividends | Self::SpinOffs | Self::Renames => &[],
        }
    }
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_understood_in_every_natural_spelling() {
        for kind in ImportKind::ALL {
            assert_eq!(ImportKind::parse(kind.as_str()), Some(kind));
        }
        for spelling in ["spin_off", "spin_offs", "spin-offs", "spinoff", "spinoffs", "SpinOffs"] {
            assert_eq!(ImportKind::parse(spelling), Some(ImportKind::SpinOffs), "{spelling}");
        }
        for spelling in ["merger", "mergers", "cash_merger", "cash-mergers", "stock_mergers", "stockmerger"] {
            assert_eq!(ImportKind::parse(spelling), Some(ImportKind::Mergers), "{spelling}");
        }
        assert_eq!(ImportKind::parse("delisting"), Some(ImportKind::Delistings));
        assert_eq!(ImportKind::parse("Rename"), Some(ImportKind::Renames));
        for wrong in ["", "s", "cash", "options", "barriers"] {
            assert_eq!(ImportKind::parse(wrong), None, "{wrong}");
        }
    }
}
