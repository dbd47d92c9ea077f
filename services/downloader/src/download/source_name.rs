//! How the database names a source.

/// A source that may be asked: its provider, which its bars name, and its call quota, which its refusals name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceName {
    pub(crate) provider: &'static str,
    pub(crate) quota: String,
}
