//! A system whose models call a stand-in endpoint.

use it::{Builder, Shape, System};
use standin::chat::ChatEndpoint;

/// An endpoint on a free port.
pub(crate) async fn endpoint() -> ChatEndpoint {
    ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts")
}

/// Entries of `models.toml` for language models of these names at `base_url`, with `extra` keys.
pub(crate) fn models(base_url: &str, names: &[&str], extra: &str) -> String {
    let entry = |name: &&str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{base_url}\"\n\
             basemodel = \"{name}\"\nprices = {{ input = \"1.25\", cached_input = \"0.125\", output = \"10\" }}\n{extra}\n"
        )
    };
    names.iter().map(entry).collect()
}

/// Two symbols, one agent `a` at the endpoint.
pub(crate) fn small(endpoint: &ChatEndpoint, extra: &str) -> Builder {
    System::builder(Shape::FourProcesses).universe(&["AAPL", "MSFT"], None).models(&models(
        &endpoint.base_url(),
        &["a"],
        extra,
    ))
}
