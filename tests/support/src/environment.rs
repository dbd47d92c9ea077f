//! The addresses of the servers, which `make test` puts into the environment.

/// The environment variable `name`.
///
/// # Panics
/// When it is not set.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: `make test` provides the servers that these tests need; to run them alone, run \
             `deploy/local/stack.sh up` and export what `deploy/local/stack.sh env` prints"
        )
    })
}
