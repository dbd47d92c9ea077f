//! Generated prices: a pseudo-random walk for any symbol, the same on every machine and for every "today".

use chrono::NaiveDate;

use super::bar::{Bar, Ticks};

const CENT: i64 = 100;
const LOWEST: i64 = 5 * 10_000;
const HIGHEST: i64 = 2_000 * 10_000;

/// The bars of `symbol` for `sessions`, oldest first: valid, in whole cents, between about 5 and 2,000 dollars.
pub(crate) fn walk(symbol: &str, sessions: &[NaiveDate]) -> Vec<Bar> {
    let mut noise = Noise::of(symbol);
    let mut close = cents(LOWEST * 4 + noise.below(30_000) * CENT);
    let activity = 500_000 + noise.below(20_000_000);
    sessions
        .iter()
        .map(|date| {
            let bar = step(*date, close, activity, &mut noise);
            close = bar.close.0;
            bar
        })
        .collect()
}

/// A session that opens near the `previous` close and drifts back when the price has left the range.
fn step(date: NaiveDate, previous: i64, activity: i64, noise: &mut Noise) -> Bar {
    let open = moved(previous, noise.around(100));
    let pull = match open {
        open if open < LOWEST => 150,
        open if open > HIGHEST => -150,
        _ => 4,
    };
    let close = moved(open, noise.around(250) + pull);
    let high = moved(open.max(close), noise.below(120)).max(open).max(close);
    let low = moved(open.min(close), -noise.below(120)).min(open).min(close);
    Bar {
        date,
        open: Ticks(open),
        high: Ticks(high),
        low: Ticks(low),
        close: Ticks(close),
        volume: (activity / 2 + noise.below(activity)).unsigned_abs(),
    }
}

/// `price` changed by ten-thousandths of itself, in whole cents, at least one cent.
fn moved(price: i64, ten_thousandths: i64) -> i64 {
    cents(price + price * ten_thousandths / 10_000).max(CENT)
}

fn cents(price: i64) -> i64 {
    price / CENT * CENT
}

/// SplitMix64, seeded with the FNV-1a hash of a symbol. Its definition fixes the numbers, unlike those of a library.
struct Noise(u64);

impl Noise {
    fn of(symbol: &str) -> Self {
        let hash = symbol.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `limit`, without `limit` itself.
    fn below(&mut self, limit: i64) -> i64 {
        (self.next() >> 1).cast_signed() % limit
    }

    /// From `-limit` to `limit`.
    fn around(&mut self, limit: i64) -> i64 {
        self.below(2 * limit + 1) - limit
    }
}

#[cfg(test)]
mod tests {
    use domain::market::calendar::Calendar;

    use super::*;

    fn sessions(start: &str, end: &str) -> Vec<NaiveDate> {
        Calendar::nyse().sessions(start.parse().unwrap(), end.parse().unwrap())
    }

    #[test]
    fn every_bar_is_valid_and_stays_in_a_plausible_range() {
        let sessions = sessions("2010-01-01", "2025-12-31");
        for symbol in ["AAPL", "QQQ", "ZZZZ", "BRK.B", "S001", "S100"] {
            for bar in walk(symbol, &sessions) {
                let (lower, upper) = (bar.open.min(bar.close), bar.open.max(bar.close));
                assert!(bar.low <= lower && upper <= bar.high, "{symbol} {bar:?}");
                assert!(bar.low.0 > 0 && bar.high.0 < 2 * HIGHEST && bar.volume > 0, "{symbol} {bar:?}");
            }
        }
    }

    #[test]
    fn a_longer_walk_begins_with_the_shorter_one() {
        let short = walk("AAPL", &sessions("2010-01-01", "2011-12-31"));
        let long = walk("AAPL", &sessions("2010-01-01", "2025-12-31"));

        assert_eq!(long[..short.len()], short[..]);
    }

    #[test]
    fn symbols_walk_apart() {
        let sessions = sessions("2025-01-01", "2025-01-31");

        assert_ne!(walk("AAPL", &sessions), walk("MSFT", &sessions));
    }

    #[test]
    fn the_walk_is_the_same_on_every_machine() {
        let bars = walk("AAPL", &sessions("2010-01-04", "2010-01-04"));

        let Bar { date, open, high, low, close, volume } = &bars[0];
        assert_eq!(
            format!("{date} {open} {high} {low} {close} {volume}"),
            "2010-01-04 131.8500 132.3700 129.3700 129.8000 13809101"
        );
    }
}
