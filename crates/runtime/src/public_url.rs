//! The address under which clients know the API.

use contract::schema::SchemaLocation;
use reqwest::Url;

use crate::settings::Settings;

/// Where the schemas of messages are served: below `PUBLIC_URL`, if it is set.
pub(crate) fn schemas(settings: &mut Settings) -> SchemaLocation {
    let Some(text) = settings.text("PUBLIC_URL") else { return SchemaLocation::default() };
    if is_base(&text) {
        return SchemaLocation::below(&text);
    }
    let fix = "write the address of the API as its clients know it, such as https://modelday.example";
    settings.invalid("PUBLIC_URL", "is not a plain http or https address".to_owned(), fix);
    SchemaLocation::default()
}

/// Whether paths can follow an address, which has nothing that only its owner may know.
fn is_base(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(text: &str) -> (String, usize) {
        let environment = BTreeMap::from([("PUBLIC_URL".to_owned(), text.to_owned())]);
        let mut settings = Settings::new(environment, None);
        let schemas = schemas(&mut settings);
        let mistakes = settings.finish(Some(())).err().map_or(0, |mistakes| mistakes.0.len());
        (schemas.id("modelday.data.ready.v1"), mistakes)
    }

    #[test]
    fn schemas_are_below_the_public_address() {
        let urn = "urn:modelday:v1:modelday.data.ready.v1".to_owned();
        let served = |base: &str| (format!("{base}/schemas/modelday.data.ready.v1.json"), 0);
        assert_eq!(read("https://modelday.example"), served("https://modelday.example"));
        assert_eq!(read("http://host:8080/below/"), served("http://host:8080/below"));
        assert_eq!(read(""), (urn.clone(), 0));
        for wrong in [
            "modelday.example",
            "ftp://host",
            "https://me:secret@host",
            "https://host/?a=b",
            "https://host/#a",
        ] {
            assert_eq!(read(wrong), (urn.clone(), 1), "{wrong}");
        }
    }
}
