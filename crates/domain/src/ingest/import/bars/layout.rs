//! What the columns of a file of bars are, and whose file it is.

use super::super::faults::Faults;
use super::bar_file::Basis;
use super::dates::DateOrder;

/// The columns that a bar is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Symbol,
    Date,
    Open,
    High,
    Low,
    Close,
    Volume,
}

impl Field {
    pub(super) const ALL: [Self; 7] =
        [Self::Symbol, Self::Date, Self::Open, Self::High, Self::Low, Self::Close, Self::Volume];

    pub(super) fn name(self) -> &'static str {
        self.names()[0]
    }

    /// Its names in the files of vendors and libraries, the usual one first; see [`plain`].
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Symbol => &["symbol", "ticker", "tic", "instrument"],
            Self::Date => &[
                "date",
                "timestamp",
                "datetime",
                "tradedate",
                "tradingdate",
                "windowstart",
                "time",
                "t",
                "index",
                "indexlevel0",
                "",
            ],
            Self::Open => &["open", "buyprice", "o"],
            Self::High => &["high", "h"],
            Self::Low => &["low", "l"],
            Self::Close => &["close", "closelast", "last", "sellprice", "price", "c"],
            Self::Volume => &["volume", "vol", "v"],
        }
    }
}

/// A column's name in small letters, without the numbers and signs around it and without its unit: of `4. close`,
/// `<CLOSE>`, `Close ` and `Close (USD)` it is `close`.
fn plain(name: &str) -> String {
    let name = name.split_once(" (").map_or(name, |(name, _)| name);
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    letters.skip_while(char::is_ascii_digit).collect()
}

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The place of each field, in the order of [`Field::ALL`]. A file of one symbol has no column for it.
    places: [Option<usize>; 7],
    /// The columns of splits and of dividends, when they are to be read.
    pub(super) actions: [Option<usize>; 2],
    /// The columns that are not read, as they are written.
    pub(super) ignored: Vec<String>,
    /// What its prices are based on, by the habit of who writes such files.
    pub(super) basis: Basis,
    /// The order of its dates, when who writes such files has one.
    pub(super) order: Option<DateOrder>,
    /// The suffix of its symbols that names the exchange's country.
    pub(super) suffix: &'static str,
    /// Whether two libraries write this header, one of them with prices as floats that are adjusted for dividends.
    pub(super) may_be_total_return: bool,
}

impl Layout {
    /// Finds the columns.
    ///
    /// # Errors
    /// Every column that is missing or there twice.
    pub(super) fn of(header: &[&str], with_actions: bool) -> Result<Self, Faults> {
        let plain: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let mut faults = Faults::default();
        let places = Field::ALL.map(|field| match place(field, &plain) {
            Ok(place) => place,
            Err(repeated) => {
                let problem = "the column is there more than once; leave one";
                faults.add(1, repeated, problem, &header.join(","));
                None
            }
        });
        let has_repeated = faults.total > 0;
        for (field, place) in Field::ALL.into_iter().zip(places).skip(1) {
            if place.is_none() && !has_repeated {
                let problem = "has no column; a file of bars has symbol,date,open,high,low,close,volume";
                faults.add(1, field.name(), problem, &header.join(","));
            }
        }
        if faults.total > 0 {
            return Err(faults);
        }
        let column = |names: &[&str]| plain.iter().position(|name| names.contains(&name.as_str()));
        let actions = if with_actions { [column(&SPLITS), column(&DIVIDENDS)] } else { [None; 2] };
        let is_read = |place: &usize| places.contains(&Some(*place)) || actions.contains(&Some(*place));
        let ignored = (0..header.len()).filter(|place| !is_read(place));
        let ignored = ignored.filter_map(|place| header.get(place)).map(|name| (*name).to_owned()).collect();
        let has = |name: &str| plain.iter().any(|column| column == name);
        Ok(Self {
            places,
            actions,
            ignored,
            basis: basis(header, has),
            order: has("closelast").then_some(DateOrder::MonthFirst),
            suffix: if header.contains(&"<TICKER>") { ".US" } else { "" },
            may_be_total_return: header == STOOQ,
        })
    }

    pub(super) fn place(&self, field: Field) -> Option<usize> {
        let index = Field::ALL.iter().position(|one| *one == field)?;
        self.places.get(index).copied().flatten()
    }
}

/// # Errors
/// The name that is there more than once.
fn place(field: Field, plain: &[String]) -> Result<Option<usize>, &'static str> {
    for name in field.names() {
        let mut found = plain.iter().enumerate().filter(|(_, column)| column == name).map(|(place, _)| place);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) if !name.is_empty() => return Err(field.name()),
            (Some(place), _) => return Ok(Some(place)),
            (None, _) => {}
        }
    }
    Ok(None)
}

/// The ratio of a split on that day, as new shares for an old one: of yfinance, Tiingo, Alpha Vantage.
const SPLITS: [&str; 6] = ["stocksplits", "splitfactor", "splitcoefficient", "splitratio", "split", "splits"];
/// Dollars for a share, of the same.
const DIVIDENDS: [&str; 5] = ["dividends", "divcash", "dividendamount", "exdividend", "dividend"];

/// Stooq's header, and that of older versions of yfinance.
const STOOQ: [&str; 6] = ["Date", "Open", "High", "Low", "Close", "Volume"];
/// The header of yfinance 0.2.50 and later.
const YFINANCE: [&str; 6] = ["Date", "Close", "High", "Low", "Open", "Volume"];

fn basis(header: &[&str], has: impl Fn(&str) -> bool) -> Basis {
    // Who writes all four prices in both forms has those of the time in the plain ones.
    let is_of_yahoo = has("adjclose") && !has("divcash") && !has("adjopen");
    // Investing.com, TradingView, and the files of Sharadar, which have the close of the time beside the adjusted prices.
    let is_of_others =
        (has("price") && has("change")) || header.first() == Some(&"time") || has("closeunadj");
    let is_of_yfinance = header == YFINANCE || (has("dividends") && has("stocksplits"));
    if is_of_yahoo || is_of_others || has("closelast") || header == STOOQ || header.contains(&"<TICKER>") {
        Basis::SplitAdjusted
    } else if is_of_yfinance {
        Basis::TotalReturn
    } else {
        Basis::Raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Result<Layout, Faults> {
        Layout::of(&header.split(',').collect::<Vec<_>>(), false)
    }

    /// The basis of a file with this header and the columns that are not read.
    #[track_caller]
    fn check(header: &str, basis: Basis, ignored: &[&str]) {
        let layout = of(header).unwrap();
        assert_eq!(
            (layout.basis, layout.ignored.as_slice()),
            (basis, ignored.map_owned().as_slice()),
            "{header}"
        );
        let columns: Vec<_> = header.split(',').collect();
        for field in Field::ALL.into_iter().skip(1) {
            let name = layout.place(field).and_then(|place| columns.get(place)).copied();
            assert!(
                name.is_some_and(|name| field.names().contains(&plain(name).as_str())),
                "{header}: {field:?}"
            );
        }
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[test]
    fn the_basis_of_prices_follows_the_habit_of_who_writes_such_files() {
        use Basis::{Raw, SplitAdjusted, TotalReturn};
        check("symbol,date,open,high,low,close,volume", Raw, &[]);
        check("Date,Open,High,Low,Close,Adj Close,Volume", SplitAdjusted, &["Adj Close"]);
        check("Date,Open,High,Low,Close,Volume", SplitAdjusted, &[]);
        let bulk = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>";
        check(bulk, SplitAdjusted, &["<PER>", "<TIME>", "<OPENINT>"]);
        check("Date,Close/Last,Volume,Open,High,Low", SplitAdjusted, &[]);
        check("Date,Close,High,Low,Open,Volume", TotalReturn, &[]);
        check(
            "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
            TotalReturn,
            &["Dividends", "Stock Splits"],
        );
        check(
            "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits",
            SplitAdjusted,
            &["Adj Close", "Dividends", "Stock Splits"],
        );
        let tiingo =
            "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor";
        let adjusted = ["adjClose", "adjHigh", "adjLow", "adjOpen", "adjVolume", "divCash", "splitFactor"];
        check(tiingo, Raw, &adjusted);
        check("timestamp,open,high,low,close,volume", Raw, &[]);
        let adjusted = ["adjusted_close", "dividend_amount", "split_coefficient"];
        check(
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
            Raw,
            &adjusted,
        );
        check("1. open,2. high,3. low,4. close,5. volume,date", Raw, &[]);
        check("ticker,volume,open,close,high,low,window_start,transactions", Raw, &["transactions"]);
        check(",date,open,high,low,close,volume,tic,day", Raw, &["", "day"]);
        check("Date,Price,Open,High,Low,Vol.,Change %", SplitAdjusted, &["Change %"]);
        check("time,open,high,low,close,Volume", SplitAdjusted, &[]);
        check("Date,Open (USD),High (USD),Low (USD),Close (USD),Volume (shares)", Raw, &[]);
        let quandl = "Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume";
        let adjusted =
            ["Ex-Dividend", "Split Ratio", "Adj. Open", "Adj. High", "Adj. Low", "Adj. Close", "Adj. Volume"];
        check(quandl, Raw, &adjusted);
        let sharadar = "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated";
        check(sharadar, SplitAdjusted, &["closeadj", "closeunadj", "lastupdated"]);
        check("t,o,h,l,c,v", Raw, &[]);
    }

    #[test]
    fn columns_that_are_missing_or_there_twice_are_named() {
        let columns = |header| {
            let faults = of(header).unwrap_err();
            faults.listed.into_iter().map(|fault| fault.column).collect::<Vec<_>>()
        };

        assert_eq!(columns("symbol,date,open,high"), ["low", "close", "volume"]);
        assert_eq!(columns("date,open,Open,high,low,close,volume"), ["open"]);
    }
}
