//! The files of the board: their names, contents, hashes and compressed forms.

use std::io::Write as _;
use std::sync::{LazyLock, OnceLock};

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// Name and content of files of `dashboard/`.
macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../dashboard/", $folder, $name)))),+]
    };
}

/// The board's own files, which have one version.
const OWN: &[(&str, &str)] = files!("":
    "api.js", "audit.js", "base.css", "chart.js", "conversation.js", "curves.js", "day.js", "dom.js", "entries.js", "events.js",
    "falls.js", "fields.js", "format.js", "grid.js", "holdings.js", "icon.svg", "job.js", "jobs.js", "leaderboard.js", "letters.js", "live.js",
    "main.js", "models.js", "new.js", "pages.css", "plan.js", "portfolio.js", "series.js", "sources.js",
    "standings.js", "table.js",
);
/// What draws charts: large, and seldom another version.
const PLOTLY: &[(&str, &str)] = files!("vendor/": "plotly.css", "plotly.js");

/// A file with its hash.
pub(super) struct Asset {
    name: &'static str,
    kind: &'static str,
    content: Bytes,
    etag: String,
    compressed: OnceLock<Bytes>,
}

/// Files whose paths have one hash.
struct Bundle {
    version: String,
    assets: Vec<Asset>,
}

static BUNDLES: LazyLock<[Bundle; 2]> = LazyLock::new(|| [Bundle::of(OWN), Bundle::of(PLOTLY)]);

static DOCUMENT: LazyLock<Asset> = LazyLock::new(|| {
    let [own, plotly] = &*BUNDLES;
    let path = |bundle: &Bundle| format!("/board/assets/{}", bundle.version);
    let modules = OWN.iter().filter(|(name, _)| name.ends_with(".js"));
    // All at once, instead of each after the one that imports it.
    let preloads =
        modules.map(|(name, _)| format!("<link rel=\"modulepreload\" href=\"{}/{name}\">", path(own)));
    let text = include_str!("../../../dashboard/index.html")
        .replace("{preloads}", &preloads.collect::<Vec<_>>().join("\n  "))
        .replace("{own}", &path(own))
        .replace("{plotly}", &path(plotly));
    Asset::new("index.html", "text/html; charset=utf-8", Bytes::from(text))
});

/// The document that every page is.
pub(super) fn document() -> &'static Asset {
    &DOCUMENT
}

/// A file of this version; `None` when there is none.
pub(super) fn find(version: &str, name: &str) -> Option<&'static Asset> {
    let bundle = BUNDLES.iter().find(|bundle| bundle.version == version)?;
    bundle.assets.iter().find(|asset| asset.name == name)
}

impl Bundle {
    fn of(files: &'static [(&'static str, &'static str)]) -> Self {
        let contents = files.iter().flat_map(|(name, content)| [name.as_bytes(), content.as_bytes()]);
        let asset = |(name, content): &(&'static str, &'static str)| {
            Asset::new(name, kind(name), Bytes::from_static(content.as_bytes()))
        };
        Self { version: hash(contents), assets: files.iter().map(asset).collect() }
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of the parts, each with its length before it.
fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_be_bytes());
        sha.update(part);
    }
    sha.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Asset {
    fn new(name: &'static str, kind: &'static str, content: Bytes) -> Self {
        let etag = format!("\"{}\"", hash([content.as_ref()]));
        Self { name, kind, content, etag, compressed: OnceLock::new() }
    }

    /// Its media type.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its entity tag, with the quotes.
    pub(super) fn etag(&self) -> &str {
        &self.etag
    }

    /// Its content.
    pub(super) fn content(&self) -> Bytes {
        self.content.clone()
    }

    /// Its content in the format gzip, made once for all requests.
    pub(super) fn compressed(&self) -> Bytes {
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            // Writing to memory does not fail.
            let written = encoder.write_all(&self.content).and_then(|()| encoder.finish());
            Bytes::from(written.unwrap_or_default())
        };
        self.compressed.get_or_init(compress).clone()
    }
}
