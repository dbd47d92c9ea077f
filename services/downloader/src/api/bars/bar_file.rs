//! Files of bars, and CSV as one of them.

use domain::market::instruments::Bar;
use storage::market::BarRow;

/// A file that is written one symbol after the other.
pub(super) trait BarFile: Send + 'static {
    /// Writes the bars of a symbol; returns the bytes that can be sent.
    fn write(&mut self, rows: &[BarRow]) -> anyhow::Result<Vec<u8>>;

    /// Returns the rest of the file.
    fn finish(&mut self) -> anyhow::Result<Vec<u8>>;
}

/// Open, high, low and close.
pub(super) fn prices(bar: &Bar) -> [rust_decimal::Decimal; 4] {
    [bar.open(), bar.high(), bar.low(), bar.close()].map(|price| price.amount().normalize())
}

/// CSV with a header. Neither symbols nor numbers need quotes.
#[derive(Default)]
pub(super) struct CsvFile {
    begun: bool,
}

impl CsvFile {
    fn header(&mut self) -> String {
        let is_first = !std::mem::replace(&mut self.begun, true);
        if is_first { "symbol,date,open,high,low,close,volume\r\n".to_owned() } else { String::new() }
    }
}

impl BarFile for CsvFile {
    fn write(&mut self, rows: &[BarRow]) -> anyhow::Result<Vec<u8>> {
        let mut text = self.header();
        for BarRow { symbol, date, bar } in rows {
            let [open, high, low, close] = prices(bar);
            text.push_str(&format!("{symbol},{date},{open},{high},{low},{close},{}\r\n", bar.volume()));
        }
        Ok(text.into_bytes())
    }

    fn finish(&mut self) -> anyhow::Result<Vec<u8>> {
        Ok(self.header().into_bytes())
    }
}
