//! Files that are compressed with gzip.

use std::io::Read as _;

use axum::body::Bytes;
use domain::ingest::import::Faults;
use flate2::read::MultiGzDecoder;

/// The content of a file, which is itself when it is not compressed.
///
/// # Errors
/// When the compressed file is cut or damaged, or its content is larger than `limit` bytes.
pub(super) fn unpacked(file: Bytes, limit: usize) -> Result<Bytes, Faults> {
    if !file.starts_with(&[0x1f, 0x8b]) {
        return Ok(file);
    }
    let wrong = |problem: String| Faults::only(1, "", problem, "");
    let mut content = Vec::new();
    let beyond = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(file.as_ref())
        .take(beyond)
        .read_to_end(&mut content)
        .map_err(|problem| wrong(format!("the file cannot be unpacked ({problem}); compress it again")))?;
    if content.len() > limit {
        let limit = limit >> 20;
        return Err(wrong(format!(
            "the file is larger than {limit} MiB when it is unpacked; send it in parts, or raise IMPORT_LIMIT_MIB"
        )));
    }
    Ok(content.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(content: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn a_file_is_unpacked_up_to_the_limit() {
        let content = b"symbol,date".repeat(100);
        assert_eq!(unpacked(packed(&content), content.len()).unwrap(), content);
        assert_eq!(unpacked(content.clone().into(), 1).unwrap(), content, "it is not compressed");

        let faults = unpacked(packed(&content), content.len() - 1).unwrap_err();
        assert!(faults.listed[0].problem.contains("IMPORT_LIMIT_MIB"), "{faults:?}");
    }

    #[test]
    fn a_cut_file_is_refused() {
        let whole = packed(&b"symbol,date".repeat(100));

        let faults = unpacked(whole.slice(..whole.len() - 9), 10_000).unwrap_err();

        assert!(faults.listed[0].problem.contains("cannot be unpacked"), "{faults:?}");
    }
}
