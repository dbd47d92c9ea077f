//! Server-sent events, read from bytes that arrive in any pieces.

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// `id:`; of the last event that had one.
    pub(super) id: Option<String>,
    /// `event:`; `message` without one.
    pub(super) kind: String,
    /// `data:`, its lines joined.
    pub(super) data: String,
}

/// A stream that is being read.
#[derive(Default)]
pub(super) struct Reader {
    /// Bytes of a line that has not ended.
    rest: Vec<u8>,
    /// What stood before this line was a carriage return, which ended a line already.
    after_return: bool,
    id: Option<String>,
    kind: String,
    data: Option<String>,
}

impl Reader {
    /// The events that `bytes` complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    let line = std::mem::take(&mut self.rest);
                    messages.extend(self.line(&String::from_utf8_lossy(&line)));
                }
                _ => {
                    self.after_return = false;
                    self.rest.push(*byte);
                }
            }
        }
        messages
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            let data = self.data.take()?;
            let kind = if kind.is_empty() { "message".to_owned() } else { kind };
            return Some(Message { id: self.id.clone(), kind, data });
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

    fn message(id: &str, kind: &str, data: &str) -> Message {
        Message { id: Some(id.to_owned()), kind: kind.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_are_the_same_in_whatever_pieces_they_come() {
        let expected =
            [message("1", "a", "{\"é\":\n1}"), message("2", "b", "x"), message("2", "message", "last")];

        for size in 1..=STREAM.len() {
            let mut reader = Reader::default();
            let read: Vec<Message> =
                STREAM.as_bytes().chunks(size).flat_map(|piece| reader.push(piece)).collect();
            assert_eq!(read, expected, "in pieces of {size}");
        }
    }
}
