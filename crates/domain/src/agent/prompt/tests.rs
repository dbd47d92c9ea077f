//! Templates and what is made of them.

use super::*;
use crate::market::calendar::Calendar;
use crate::market::instruments::Bar;
use crate::market::price_table::PriceTable;

fn template(text: &str) -> Result<Template, TemplateError> {
    Template::try_from(text.to_owned())
}

fn rendered(template: &Template) -> String {
    let symbol = |name: &str| name.parse::<Symbol>().unwrap();
    let price = |text: &str| text.parse::<Price>().unwrap();
    let flat = |text: &str| Bar::new(price(text), price(text), price(text), price(text), 1).unwrap();
    let day = |text: &str| text.parse().unwrap();
    let bars = [
        (symbol("AAPL"), day("2025-10-01"), flat("255.45")),
        (symbol("AAPL"), day("2025-10-02"), flat("256.5750")),
    ];
    let table: PriceTable = bars.into_iter().collect();
    let calendar = Calendar::nyse();
    let portfolio = Portfolio::new("12.50".parse().unwrap(), [(symbol("AAPL"), 3)].into()).unwrap();
    let facts = Facts {
        as_of: AsOf::new(&table, &calendar, day("2025-10-02")),
        portfolio: &portfolio,
        initial_cash: "10000.00".parse().unwrap(),
        symbols: &[symbol("AAPL"), symbol("MSFT")],
    };
    system(template, &facts)
}

#[test]
fn every_placeholder_is_filled() {
    let text = "{date}|{previous_session}|{positions}|{previous_closes}|{opens}|{initial_cash}|{stop_token}";

    assert_eq!(
        rendered(&template(text).unwrap()),
        "2025-10-02|2025-10-01|CASH: 12.5\nAAPL: 3|AAPL: 255.45|AAPL: 256.575|10000|<FINISH_SIGNAL>"
    );
}

#[test]
fn braces_that_name_nothing_are_text() {
    let text = "{ {\"a\":{}} {X} ä{ <FINISH_SIGNAL> {";

    assert_eq!(rendered(&template(text).unwrap()), text);
}

#[test]
fn an_unknown_placeholder_is_an_error_of_configuration() {
    let error = template("{stop_token} {tomorrow}").unwrap_err();

    assert_eq!(error, TemplateError::Unknown { name: "tomorrow".to_owned() });
    assert!(error.to_string().starts_with("{tomorrow} is no placeholder; known are {date}, "));
    assert_eq!(template("trade"), Err(TemplateError::NoStopToken));
    assert!(serde_json::from_str::<Template>("\"{tomorrow}\"").is_err());
}

#[test]
fn the_default_is_a_template_and_leaves_no_brace() {
    assert_eq!(template(include_str!("../default_prompt.txt")), Ok(Prompt::default().template));

    let text = rendered(&Prompt::default().template);

    assert!(!text.contains(['{', '}']), "{text}");
    assert!(text.trim_end().ends_with(STOP_TOKEN));
}
