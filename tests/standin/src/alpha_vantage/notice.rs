//! The texts with which Alpha Vantage refuses a call. It sends them with status 200.

/// A response without prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The key is wrong or absent.
    InvalidKey,
    /// The key is `demo`.
    DemoKey,
    /// More calls in a second than the key allows.
    Throttled,
    /// No calls are left for the day. The text contains the key, as the real one does.
    Quota,
    /// `outputsize=full` needs a paying key.
    FullIsPremium,
    /// The whole function needs a paying key.
    PremiumFunction,
    /// The symbol is unknown, or a parameter is wrong.
    InvalidCall,
    /// The function is unknown.
    UnknownFunction,
}

impl Notice {
    /// The name in the list of calls.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InvalidKey => "invalid key",
            Self::DemoKey => "demo key",
            Self::Throttled => "throttled",
            Self::Quota => "quota used up",
            Self::FullIsPremium | Self::PremiumFunction => "plan gated",
            Self::InvalidCall => "invalid call",
            Self::UnknownFunction => "unknown function",
        }
    }

    /// The body, as the real service prints it.
    pub(crate) fn body(self, function: &str, key: &str) -> String {
        match self {
            Self::InvalidKey => error(
                "the parameter apikey is invalid or missing. Please claim your free API key on \
                 (https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds.",
            ),
            Self::DemoKey => information(
                "The **demo** API key is for demo purposes only. Please claim your free API key at \
                 (https://www.alphavantage.co/support/#api-key) to explore our full API offerings. It takes fewer \
                 than 20 seconds.",
            ),
            Self::Throttled => information(
                "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more \
                 sparingly (1 request per second). You may subscribe to any of the premium plans at \
                 https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per day), raise \
                 the per-second burst limit, and instantly unlock all premium endpoints",
            ),
            Self::Quota => information(&format!(
                "We have detected your API key as {key} and our standard API rate limit is 25 requests per day. \
                 Please subscribe to any of the premium plans at https://www.alphavantage.co/premium/ to instantly \
                 remove all daily rate limits."
            )),
            Self::FullIsPremium => information(&format!(
                "Thank you for using Alpha Vantage! The outputsize=full parameter value is a premium feature for the \
                 {function} endpoint. You may subscribe to any of the premium plans at \
                 https://www.alphavantage.co/premium/ to instantly unlock all premium features"
            )),
            Self::PremiumFunction => information(
                "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the \
                 premium plans at https://www.alphavantage.co/premium/ to instantly unlock all premium endpoints",
            ),
            Self::InvalidCall => error(&format!(
                "Invalid API call. Please retry or visit the documentation \
                 (https://www.alphavantage.co/documentation/) for {function}."
            )),
            Self::UnknownFunction => error(&format!("This API function ({function}) does not exist.")),
        }
    }
}

fn information(text: &str) -> String {
    object("Information", text)
}

fn error(text: &str) -> String {
    object("Error Message", text)
}

fn object(field: &str, text: &str) -> String {
    format!("{{\n    \"{field}\": {}\n}}", serde_json::Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(notice: Notice, expected: [&str; 2]) {
        let body = notice.body("TIME_SERIES_DAILY", "K");
        let object: serde_json::Value = serde_json::from_str(&body).unwrap();
        let [field, part] = expected;
        assert!(object[field].as_str().unwrap().contains(part), "{body}");
    }

    #[test]
    fn every_notice_has_the_words_that_clients_look_for() {
        check(Notice::InvalidKey, ["Error Message", "apikey is invalid or missing"]);
        check(Notice::DemoKey, ["Information", "**demo** API key"]);
        check(Notice::Throttled, ["Information", "spreading out"]);
        check(
            Notice::Quota,
            ["Information", "API key as K and our standard API rate limit is 25 requests per day"],
        );
        check(Notice::FullIsPremium, ["Information", "outputsize=full parameter value is a premium feature"]);
        check(Notice::PremiumFunction, ["Information", "premium endpoint"]);
        check(Notice::InvalidCall, ["Error Message", "for TIME_SERIES_DAILY."]);
        check(Notice::UnknownFunction, ["Error Message", "(TIME_SERIES_DAILY) does not exist"]);
    }
}
