//! `wamid.…`: how Meta names a message.
//!
//! It is base64 over a few tagged fields, seen in every published id: whom the message is with, a direction, and the raw id that WhatsApp's clients
//! use. So a raw id of the world and its `wamid` can be told from each other, and nothing need be kept.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Written by the business.
const OUT: u8 = 0x11;
/// Written by a person.
const IN: u8 = 0x12;

/// The name of a message with `who` (a phone or a business-scoped id).
pub fn wamid(who: &str, from_business: bool, raw: &str) -> String {
    let mut bytes = vec![0x1c];
    field(&mut bytes, who);
    bytes.extend([0x15, 0x02, 0x00, if from_business { OUT } else { IN }]);
    field(&mut bytes, raw);
    bytes.push(0x00);
    format!("wamid.{}", BASE64_STANDARD.encode(bytes))
}

/// The raw id in a name.
pub fn raw_id(wamid: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(wamid.strip_prefix("wamid.")?).ok()?;
    let rest = bytes.strip_prefix(&[0x1c])?;
    let (_, rest) = take(rest)?;
    let rest = rest.strip_prefix(&[0x15, 0x02, 0x00])?;
    let (_, rest) = rest.split_first().filter(|(way, _)| matches!(**way, OUT | IN))?;
    let (raw, rest) = take(rest)?;
    (rest == [0x00]).then(|| String::from_utf8(raw.to_vec()).ok()).flatten()
}

/// A text behind its tag and its length, seven bits a byte.
fn field(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(0x18);
    let mut left = text.len();
    while left > 0x7f {
        bytes.push(0x80 | (left & 0x7f) as u8);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes.extend(text.as_bytes());
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes.strip_prefix(&[0x18])?;
    let (mut length, mut shift) = (0usize, 0u32);
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return rest.split_at_checked(length);
        }
        if shift > 21 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{raw_id, wamid};

    #[test]
    fn ids_are_made_as_the_published_ones() {
        let sent = wamid("16503879439", true, "B96747441CEB7504CE");
        assert_eq!(sent, "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA");
        assert_eq!(raw_id(&sent).as_deref(), Some("B96747441CEB7504CE"));
        let edited = "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=";
        assert_eq!(raw_id(edited).as_deref(), Some("3AADF8441347E8571C10"));
        let long = "x".repeat(513);
        assert_eq!(raw_id(&wamid("ZA.9001", false, &long)), Some(long));
    }

    #[test]
    fn what_is_no_id_is_none() {
        for text in ["", "wamid.", "wamid.HBgL", "3EB0AA", "wamid.!!!!", "wamid.HBj//////w=="] {
            assert_eq!(raw_id(text), None, "{text}");
        }
    }
}
