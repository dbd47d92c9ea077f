//! Server-sent events, read from bytes that arrive in any pieces.

/// An event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// `id:` of this event, or of the last one before it that had an id.
    pub(crate) id: Option<String>,
    /// `event:`; `message` when the field is missing.
    pub(crate) kind: String,
    /// The lines of `data:`, joined.
    pub(crate) data: String,
}

/// The largest event, in MiB. Those of Modelday are messages, which have less.
pub(super) const MAX_EVENT_MIB: usize = 16;

/// An event, or a line of one, is larger than [`MAX_EVENT_MIB`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Parses a stream chunk by chunk.
#[derive(Default)]
pub(super) struct Parser {
    /// Bytes of a line that has not ended.
    rest: Vec<u8>,
    /// The last byte was a carriage return, which ends a line: a line feed after it does not end another.
    after_return: bool,
    id: Option<String>,
    kind: String,
    data: Option<String>,
}

impl Parser {
    /// The events that `bytes` complete.
    ///
    /// # Errors
    /// When an event does not end within its limit.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.rest);
                    events.extend(self.line(&String::from_utf8_lossy(&line)));
                }
                _ => {
                    self.after_return = false;
                    self.rest.push(*byte);
                }
            }
        }
        let unfinished = self.rest.len() + self.data.as_ref().map_or(0, String::len);
        if unfinished > MAX_EVENT_MIB << 20 { Err(TooLarge) } else { Ok(events) }
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            let data = self.data.take()?;
            let kind = if kind.is_empty() { "message".to_owned() } else { kind };
            return Some(Event { id: self.id.clone(), kind, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.kind),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // Comments, `retry`, and fields of later versions.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": heartbeat\n\nid: 1\nevent: a\ndata: {\"é\":\ndata: 1}\n\nid: 2\r\nevent: b\r\ndata:x\r\n\r\ndata: last\n\nevent: unfinished\ndata: y\n";

    fn event(id: &str, kind: &str, data: &str) -> Event {
        Event { id: Some(id.to_owned()), kind: kind.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_do_not_depend_on_the_chunks() {
        let expected = [event("1", "a", "{\"é\":\n1}"), event("2", "b", "x"), event("2", "message", "last")];

        for size in 1..=STREAM.len() {
            let mut parser = Parser::default();
            let read: Vec<Event> =
                STREAM.as_bytes().chunks(size).flat_map(|piece| parser.push(piece).unwrap()).collect();
            assert_eq!(read, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_that_does_not_end_is_given_up_with_its_bytes_bounded() {
        for piece in ["x".repeat(1 << 16), format!("data: {}\n", "x".repeat(1 << 16))] {
            let mut parser = Parser::default();

            let pieces = (1..).find(|_| parser.push(piece.as_bytes()) == Err(TooLarge)).unwrap();

            assert!(pieces <= (MAX_EVENT_MIB << 4) + 1, "{pieces} pieces were kept");
        }
    }
}
