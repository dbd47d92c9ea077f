//! Where the traces of jobs and of model-days are shown.

use std::str::FromStr;
use std::sync::Arc;

/// What stands for the id of a trace in a template.
const TRACE_ID: &str = "{trace_id}";

/// The addresses of traces in another program, such as Tempo or Jaeger; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceLinks(Option<Arc<str>>);

impl TraceLinks {
    /// The address of a trace; `None` when it is not known where traces are shown.
    pub fn url(&self, trace_id: &str) -> Option<String> {
        Some(self.0.as_ref()?.replace(TRACE_ID, trace_id))
    }
}

impl FromStr for TraceLinks {
    type Err = &'static str;

    fn from_str(template: &str) -> Result<Self, Self::Err> {
        // Nothing else, such as `javascript:`, may become the target of a link.
        if !["http://", "https://"].iter().any(|scheme| template.starts_with(scheme)) {
            return Err("is not an http or https address");
        }
        if !template.contains(TRACE_ID) {
            return Err("has no {trace_id}");
        }
        Ok(Self(Some(template.into())))
    }
}

/// The trace id of a trace context: the second part of `traceparent`, 32 hexadecimal digits that are not all zero.
pub(crate) fn trace_id(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_a_place_for_the_id() {
        let links = |template: &str| template.parse::<TraceLinks>();

        let tempo = links("https://tempo.example/trace/{trace_id}?orgId=1").unwrap();
        assert_eq!(tempo.url("ab12").unwrap(), "https://tempo.example/trace/ab12?orgId=1");
        assert_eq!(TraceLinks::default().url("ab12"), None);
        assert_eq!(links("https://tempo.example/"), Err("has no {trace_id}"));
        assert_eq!(links("javascript:alert('{trace_id}')"), Err("is not an http or https address"));
    }

    #[test]
    fn only_a_trace_context_names_a_trace() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id(&format!("00-{id}-b7ad6b7169203331-01")), Some(id));
        let none = "0".repeat(32);
        for wrong in ["", "00", "00-<b>-x-01", &format!("00-{none}-b7ad6b7169203331-01")] {
            assert_eq!(trace_id(wrong), None, "{wrong}");
        }
    }
}
