//! One row as each vendor and library exports it.

use super::{BarOptions, Basis, GOOD, read, read_as, rows};

fn of_apple() -> BarOptions {
    BarOptions { symbol: Some("AAPL".parse().unwrap()), ..BarOptions::default() }
}

#[track_caller]
fn check(text: &str, options: &BarOptions, basis: Basis) {
    let file = read_as(text, options).unwrap();

    assert_eq!(rows(&file), [GOOD], "{text}");
    assert_eq!(file.basis, basis, "{text}");
}

#[test]
fn csv_files_of_vendors_need_the_symbol_only() {
    use Basis::{Raw, SplitAdjusted, TotalReturn};
    let apple = of_apple();
    check(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2025-10-01,255.04,258.79,254.93,255.45,254.90,48713940\n",
        &apple,
        SplitAdjusted,
    );
    check(
        "Date,Open,High,Low,Close,Volume\r\n2025-10-01,255.04,258.79,254.93,255.45,48713940\r\n",
        &apple,
        SplitAdjusted,
    );
    check(
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n2025-10-01,255.45,258.79,254.93,255.04,48713940,255.45,258.79,254.93,255.04,48713940,0.0,1.0\n",
        &apple,
        Raw,
    );
    check(
        "Date,Close/Last,Volume,Open,High,Low\n10/01/2025,$255.45,48713940,$255.04,$258.79,$254.93\n",
        &apple,
        SplitAdjusted,
    );
    check(
        "timestamp,open,high,low,close,volume\r\n2025-10-01,255.0400,258.7900,254.9300,255.4500,48713940\r\n",
        &apple,
        Raw,
    );
    check(
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\r\n2025-10-01,255.0400,258.7900,254.9300,255.4500,255.45,48713940,0.0000,1.0\r\n",
        &apple,
        Raw,
    );
    check(
        "Date,Close,High,Low,Open,Volume\n2025-10-01,255.45,258.79,254.93,255.04,48713940\n",
        &apple,
        TotalReturn,
    );
    check(
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2025-10-01 00:00:00-04:00,255.04,258.79,254.93,255.45,48713940,0.0,0.0\n",
        &apple,
        TotalReturn,
    );
}

#[test]
fn csv_files_of_several_symbols_need_nothing() {
    let none = BarOptions::default();
    check(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nAAPL.US,D,20251001,000000,255.04,258.79,254.93,255.45,48713940,0\n",
        &none,
        Basis::SplitAdjusted,
    );
    check(
        "ticker,volume,open,close,high,low,window_start,transactions\nAAPL,48713940,255.04,255.45,258.79,254.93,1759291200000000000,500000\n",
        &none,
        Basis::Raw,
    );
    check(
        ",date,open,high,low,close,volume,tic,day\n0,2025-10-01,255.04,258.79,254.93,255.45,48713940,AAPL,2\n",
        &none,
        Basis::Raw,
    );
}

#[test]
fn files_are_read_as_spreadsheets_of_every_country_save_them() {
    let none = BarOptions::default();
    let header = "symbol;date;open;high;low;close;volume";
    check(
        &format!("sep=;\n{header}\nAAPL;01.10.2025;255,04;258,79;254,93;255,45;48\u{a0}713\u{a0}940\n"),
        &none,
        Basis::Raw,
    );
    check(&format!("{header}\nAAPL;45931;255.04;258.79;254.93;255.45;48'713'940;\n"), &none, Basis::Raw);
    let investing = "\u{feff}\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"10/01/2025\",\"255.45\",\"255.04\",\"258.79\",\"254.93\",\"48.71394M\",\"0.32%\"\n\"10/13/2025\",\"1\",\"1\",\"1\",\"1\",\"1K\",\"\"\n";
    let file = read_as(investing, &of_apple()).unwrap();
    assert_eq!(rows(&file), [GOOD, "AAPL,2025-10-13,1,1,1,1,1000"]);
    assert_eq!(file.basis, Basis::SplitAdjusted);

    let wide: Vec<u8> = format!("{header}\nAAPL;2025-10-01;255,04;258,79;254,93;255,45;48713940\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bytes = [&[0xff, 0xfe], wide.as_slice()].concat();
    check(&crate::ingest::import::text(&bytes).unwrap(), &none, Basis::Raw);
    assert!(crate::ingest::import::text(&[0xff, 0xfe, 0x00, 0xd8]).is_err());
}

#[test]
fn a_frame_of_yfinance_has_a_header_of_three_lines() {
    let one = "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n2025-10-01,255.45,258.79,254.93,255.04,48713940\n";
    check(one, &BarOptions::default(), Basis::TotalReturn);

    let two = "Price,Adj Close,Adj Close,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\nTicker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\nDate,,,,,,,,,,,,\n2025-10-01,254.9,1,255.45,2,258.79,3,254.93,1,255.04,1.5,48713940,7\n";
    let file = read(two).unwrap();
    assert_eq!(rows(&file), [GOOD, "MSFT,2025-10-01,1.5,3,1,2,7"]);
    assert_eq!(file.basis, Basis::SplitAdjusted);
}

#[test]
fn floats_under_a_header_of_two_meanings_are_of_yfinance() {
    let text =
        "Date,Open,High,Low,Close,Volume\n2025-10-01,255.4499969482422,258.79,254.93,255.45,48713940\n";

    assert_eq!(read_as(text, &of_apple()).unwrap().basis, Basis::TotalReturn);
    let said = BarOptions { basis: Some(Basis::SplitAdjusted), ..of_apple() };
    assert_eq!(read_as(text, &said).unwrap().basis, Basis::SplitAdjusted);
}

#[test]
fn json_is_read_as_alpha_vantage_and_tiingo_write_it() {
    let bar = r#"{"1. open":"255.0400","2. high":"258.7900","3. low":"254.9300","4. close":"255.4500","5. volume":"48713940"}"#;
    let response = |symbol: &str, bar: &str| {
        format!(
            r#"{{"Meta Data":{{"1. Information":"Daily Prices","2. Symbol":"{symbol}"}},"Time Series (Daily)":{{"2025-10-01":{bar}}}}}"#
        )
    };
    let none = BarOptions::default();
    check(&response("AAPL", bar), &none, Basis::Raw);
    let renamed = bar.replace("1. open", "1. buy price").replace("4. close", "4. sell price");
    check(&response("AAPL", &renamed), &none, Basis::Raw);
    let tiingo = r#"[{"date":"2025-10-01T00:00:00.000Z","close":255.45,"high":258.79,"low":254.93,"open":255.04,"volume":48713940,"adjClose":255.45,"divCash":0.0,"splitFactor":1.0}]"#;
    check(tiingo, &of_apple(), Basis::Raw);

    let record = |symbol: &str| {
        format!(
            r#"{{"symbol":"{symbol}","date":1759276800000,"open":255.04,"high":258.79,"low":254.93,"close":255.45,"volume":48713940.0}}"#
        )
    };
    check(&format!("{}\n", record("AAPL")), &none, Basis::Raw);
    check(
        &format!("[{{\"symbol\":\"AAPL\",\"date\":\"2025-10-02\",\"volume\":0}},{}]", record("AAPL")),
        &none,
        Basis::Raw,
    );

    let lines = format!("{}\n{}\n", response("AAPL", bar), response("MSFT", bar));
    assert_eq!(rows(&read(&lines).unwrap()), [GOOD, &GOOD.replace("AAPL", "MSFT")]);
}

#[test]
fn json_that_is_something_else_says_so() {
    let notice = r#"{"Information": "our standard API rate limit is 25 requests per day"}"#;
    assert!(read(notice).unwrap_err().listed[0].problem.ends_with("25 requests per day"));
    let other = r#"{"Meta Data": {}, "Weekly Time Series": {}}"#;
    assert!(read(other).unwrap_err().listed[0].problem.contains("neither a response of Alpha Vantage"));
    assert!(read("[{\"date\":\"2025-10-01\"").is_err());
    assert_eq!(read("[]").unwrap_err().listed[0].column, "date");
}

#[test]
fn a_file_without_a_symbol_says_how_to_name_it() {
    let text = "Date,Open,High,Low,Close,Volume\n2025-10-01,255.04,258.79,254.93,255.45,48713940\n";
    let fault = read(text).unwrap_err().listed.remove(0);
    assert!(fault.column == "symbol" && fault.problem.contains("symbol="), "{fault:?}");

    let named = BarOptions { file_name: Some("aapl_us_d.csv".to_owned()), ..BarOptions::default() };
    let file = read_as(text, &named).unwrap();
    assert_eq!(rows(&file), [GOOD]);
    assert_eq!(file.notes, ["The symbol AAPL is from the file's name."]);
}

#[test]
fn a_symbol_that_contradicts_the_column_is_refused() {
    let text = format!("symbol,date,open,high,low,close,volume\n{}\n", GOOD.replace("AAPL", "MSFT"));

    let fault = read_as(&text, &of_apple()).unwrap_err().listed.remove(0);

    assert_eq!((fault.line, fault.column.as_str()), (2, "symbol"));
}
