//! What all calls of others have in common.

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

/// Begins a client. Redirects are not followed: they could carry a key elsewhere.
pub(super) fn client() -> ClientBuilder {
    // An error means that there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("modelday/", env!("CARGO_PKG_VERSION")))
}
