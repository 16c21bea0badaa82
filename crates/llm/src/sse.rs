//! Server-sent events out of a stream of bytes, in one pass and with a bound.

use crate::Error;

/// Larger than any event a vendor sends (a Responses stream ends with the whole answer in one).
const MAX_EVENT: usize = 4 << 20;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty where the vendor gives none.
    pub name: String,
    /// Its data, the lines joined.
    pub data: String,
}

/// Gathers bytes until an event is whole. Lines may end in LF, CRLF or CR, and break anywhere between two reads.
#[derive(Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    after_cr: bool,
    name: String,
    data: Vec<u8>,
    has_data: bool,
}

impl Events {
    /// Takes in what was read, and gives each whole event to `each`, until it says that it was the last.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Event) -> Result<bool, Error>) -> Result<bool, Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let taken = end.unwrap_or(rest.len());
            if self.line.len() + self.data.len() + taken > MAX_EVENT {
                return Err(Error::unreadable("an event of the stream is larger than 4 MiB"));
            }
            self.line.extend_from_slice(&rest[..taken]);
            let Some(end) = end else { return Ok(false) };
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if let Some(event) = self.line()
                && each(event)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends a line; a blank one ends the event.
    fn line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let name = std::mem::take(&mut self.name);
            return std::mem::take(&mut self.has_data)
                .then(|| Event { name, data: String::from_utf8_lossy(&data).into_owned() });
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            _ => {} // comments, ids, retry times
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut events = Events::default();
        let mut all = Vec::new();
        for piece in pieces {
            let more = |event: Event| {
                all.push((event.name, event.data));
                Ok(false)
            };
            events.push(piece, more).unwrap();
        }
        all
    }

    #[test]
    fn events_are_the_same_wherever_the_network_cuts_them() {
        let text =
            "event: a\r\ndata: {\"x\":\"é\"}\r\n\r\n: ping\n\ndata: one\ndata:two\n\ndata\n\nid: 1\r\rdata: [DONE]\r\r"
                .as_bytes();
        let whole = read(&[text]);
        let expected: Vec<(String, String)> = [("a", "{\"x\":\"é\"}"), ("", "one\ntwo"), ("", ""), ("", "[DONE]")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into();
        assert_eq!(whole, expected);
        for cut in 0..text.len() {
            assert_eq!(read(&[&text[..cut], &text[cut..]]), expected, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(&bytes), expected);
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1 << 20];
        let results: Vec<bool> = (0..6).map(|_| events.push(&piece, |_| Ok(false)).is_ok()).collect();
        assert_eq!(results, [true, true, true, true, false, false]);
    }
}
