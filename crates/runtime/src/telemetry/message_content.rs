//! Whether the messages of language models are attributes of spans, by the variable that OpenTelemetry's
//! instrumentations for generative AI share.

use std::sync::OnceLock;

use anyhow::bail;

const VARIABLE: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";

/// What the variable said when the telemetry of the process began.
static IN_SPANS: OnceLock<bool> = OnceLock::new();

/// Whether spans have what was sent to language models and what they answered. They do not, unless the operator says so:
/// everyone who sees the traces reads them.
pub fn has_message_content() -> bool {
    IN_SPANS.get().copied().unwrap_or_default()
}

/// Reads the variable.
///
/// # Errors
/// When it requests what there is not: otherwise messages would be missing, or shown, without a notice.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<()> {
    _ = IN_SPANS.set(in_spans(variable(VARIABLE).as_deref().unwrap_or_default())?);
    Ok(())
}

fn in_spans(text: &str) -> anyhow::Result<bool> {
    match text.trim().to_ascii_uppercase().as_str() {
        "" | "NO_CONTENT" | "FALSE" => Ok(false),
        "SPAN_ONLY" | "TRUE" => Ok(true),
        _ => bail!("{VARIABLE} is {text:?}; write SPAN_ONLY or NO_CONTENT: messages can be in spans only"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_in_spans_only_when_this_is_said() {
        for off in ["", " ", "NO_CONTENT", "no_content", "false"] {
            assert!(!in_spans(off).unwrap(), "{off:?}");
        }
        for on in ["SPAN_ONLY", "span_only", "true"] {
            assert!(in_spans(on).unwrap(), "{on:?}");
        }
        let refused = in_spans("EVENT_ONLY").unwrap_err().to_string();
        assert!(refused.contains("\"EVENT_ONLY\"; write SPAN_ONLY or NO_CONTENT"), "{refused}");
    }
}
