//! Files that are compressed with gzip.

use std::io::Read as _;

use axum::body::Bytes;
use domain::ingest::import::Faults;
use flate2::read::MultiGzDecoder;

/// The first bytes of files that have other files or sheets in them, and what to do with these.
const CONTAINERS: [(&[u8], &str); 2] = [
    (b"PK\x03\x04", "the file is a workbook (.xlsx) or a ZIP archive; save its sheet as CSV, or unpack it"),
    (&[0xd0, 0xcf, 0x11, 0xe0], "the file is a workbook (.xls); save its sheet as CSV"),
];

/// The content of a file, which is itself when it is not compressed.
///
/// # Errors
/// When the compressed file is cut or damaged, its content is larger than `limit` bytes, or it is an archive or a
/// workbook.
pub(super) fn unpacked(file: Bytes, limit: usize) -> Result<Bytes, Faults> {
    let wrong = |problem: String| Faults::only(1, "", problem, "");
    if let Some((_, what)) = CONTAINERS.iter().find(|(beginning, _)| file.starts_with(beginning)) {
        return Err(wrong((*what).to_owned()));
    }
    if !file.starts_with(&[0x1f, 0x8b]) {
        return Ok(file);
    }
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
    fn a_workbook_is_refused_with_the_way_out() {
        for beginning in [&b"PK\x03\x04rest"[..], &[0xd0, 0xcf, 0x11, 0xe0, 0xa1]] {
            let faults = unpacked(Bytes::copy_from_slice(beginning), 100).unwrap_err();
            assert!(faults.listed[0].problem.contains("save its sheet as CSV"), "{faults:?}");
        }
    }

    #[test]
    fn a_cut_file_is_refused() {
        let whole = packed(&b"symbol,date".repeat(100));

        let faults = unpacked(whole.slice(..whole.len() - 9), 10_000).unwrap_err();

        assert!(faults.listed[0].problem.contains("cannot be unpacked"), "{faults:?}");
    }
}
