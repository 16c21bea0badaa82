//! Voice notes: WhatsApp's are Opus in Ogg, browsers record Opus in WebM. The sound is the same; only the box changes.

/// Repacks a WebM recording as Ogg. Nothing, when it is not one with a single Opus track.
pub fn from_webm(webm: &[u8]) -> Option<Vec<u8>> {
    let mut head = None;
    let mut packets = Vec::new();
    walk(webm, &mut |id, data| match id {
        CODEC_PRIVATE if data.starts_with(b"OpusHead") => head = Some(data.to_vec()),
        SIMPLE_BLOCK | BLOCK => packets.extend(block(data).map(<[u8]>::to_vec)),
        _ => {}
    })?;
    let head = head.filter(|_| !packets.is_empty())?;
    Some(write(&head, &packets))
}

/// Whether the bytes are an Ogg file.
pub fn is_ogg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"OggS")
}

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK: u32 = 0xAE;
const CODEC_PRIVATE: u32 = 0x63A2;
const SIMPLE_BLOCK: u32 = 0xA3;
const GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;

/// Calls `see` with every element that is no box of others. Boxes are stepped into, so that their size, which a live
/// recording does not know, does not matter.
fn walk<'a>(mut rest: &'a [u8], see: &mut impl FnMut(u32, &'a [u8])) -> Option<()> {
    while !rest.is_empty() {
        let (id, after) = number(rest, true)?;
        let (size, after) = number(after, false)?;
        let id = u32::try_from(id).ok()?;
        if matches!(id, SEGMENT | CLUSTER | TRACKS | TRACK | GROUP) {
            rest = after;
            continue;
        }
        // A recording that was cut off is good up to there.
        let Some((data, after)) = after.split_at_checked(usize::try_from(size).ok()?) else { break };
        see(id, data);
        rest = after;
    }
    Some(())
}

/// A number of variable length; the mark of its length is part of an id, but not of a size.
fn number(bytes: &[u8], keep_mark: bool) -> Option<(u64, &[u8])> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let (number, rest) = bytes.split_at_checked(length).filter(|_| length <= 8)?;
    let value = number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Some((if keep_mark { value } else { value & !(1 << (7 * length)) }, rest))
}

/// The packet in a block: after the track, two bytes of time and the flags. Laced blocks (several packets) are skipped:
/// no browser writes them for Opus.
fn block(data: &[u8]) -> Option<&[u8]> {
    let (_track, rest) = number(data, false)?;
    let packet = rest.get(3..)?;
    (rest[2] & 0x06 == 0 && !packet.is_empty()).then_some(packet)
}

/// Samples of a packet at 48 kHz, from its first byte (RFC 6716, 3.1).
fn samples(packet: &[u8]) -> u64 {
    let config = packet[0] >> 3;
    let frame = match config {
        0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        12..16 => [480, 960][usize::from(config & 1)],
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    match packet[0] & 3 {
        0 => frame,
        1 | 2 => 2 * frame,
        _ => frame * u64::from(packet.get(1).map_or(1, |count| count & 0x3f)),
    }
}

fn write(head: &[u8], packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut tags = b"OpusTags".to_vec();
    tags.extend(9u32.to_le_bytes());
    tags.extend(b"simulator");
    tags.extend(0u32.to_le_bytes());
    page(&mut out, 0, 2, 0, &[head]);
    page(&mut out, 1, 0, 0, &[&tags]);
    let pages = pages(packets);
    let last = pages.len() - 1;
    let mut position = 0;
    for (at, some) in pages.iter().enumerate() {
        position += some.iter().map(|packet| samples(packet)).sum::<u64>();
        let number = u32::try_from(at + 2).expect("a recording has less than 2^32 pages");
        page(&mut out, number, if at == last { 4 } else { 0 }, position, some);
    }
    out
}

/// Packets in pages of a second (50 packets of 20 ms), or less where their segments would not fit in one: 255.
fn pages(packets: &[Vec<u8>]) -> Vec<Vec<&[u8]>> {
    let mut pages: Vec<Vec<&[u8]>> = Vec::new();
    let mut segments = 0;
    for packet in packets {
        let own = packet.len() / 255 + 1;
        match pages.last_mut().filter(|page| page.len() < 50 && segments + own <= 255) {
            Some(page) => {
                page.push(packet);
                segments += own;
            }
            None => {
                pages.push(vec![packet]);
                segments = own;
            }
        }
    }
    pages
}

/// A page of whole packets (RFC 3533, 6).
fn page(out: &mut Vec<u8>, number: u32, flags: u8, position: u64, packets: &[&[u8]]) {
    let mut lacing = Vec::new();
    for packet in packets {
        lacing.resize(lacing.len() + packet.len() / 255, 255);
        lacing.push(u8::try_from(packet.len() % 255).expect("a rest of 255 is a byte"));
    }
    let start = out.len();
    out.extend(b"OggS\0");
    out.push(flags);
    out.extend(position.to_le_bytes());
    out.extend(1u32.to_le_bytes());
    out.extend(number.to_le_bytes());
    out.extend(0u32.to_le_bytes());
    out.push(u8::try_from(lacing.len()).expect("an Opus packet has at most 61,200 bytes: 241 segments"));
    out.extend(&lacing);
    packets.iter().for_each(|packet| out.extend(*packet));
    let sum = checksum(&out[start..]);
    out[start + 22..start + 26].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            if sum & 0x8000_0000 == 0 { sum << 1 } else { sum << 1 ^ 0x04c1_1db7 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{checksum, from_webm, is_ogg, page, pages};

    /// A recording by Chromium, made for this test.
    const WEBM: &[u8] = include_bytes!("phone/voice-note.webm");

    #[test]
    fn a_recording_is_repacked_whole() {
        let ogg = from_webm(WEBM).unwrap();
        assert!(is_ogg(&ogg));
        assert_eq!(&ogg[28..36], b"OpusHead");
        // Every page's sum is right, and the last one says that it is the last.
        let (mut at, mut flags) = (0, 0);
        while at < ogg.len() {
            let lacing = &ogg[at + 27..at + 27 + usize::from(ogg[at + 26])];
            let end = at + 27 + lacing.len() + lacing.iter().map(|n| usize::from(*n)).sum::<usize>();
            let mut bytes = ogg[at..end].to_vec();
            let sum = u32::from_le_bytes(bytes[22..26].try_into().unwrap());
            bytes[22..26].fill(0);
            assert_eq!(checksum(&bytes), sum);
            (at, flags) = (end, ogg[at + 5]);
        }
        assert_eq!((at, flags), (ogg.len(), 4));
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        assert_eq!(from_webm(b""), None);
        assert_eq!(from_webm(b"GIF89a and more"), None);
        for end in 0..WEBM.len().min(600) {
            from_webm(&WEBM[..end]); // cut off anywhere: no panic
        }
    }

    #[test]
    fn large_packets_take_more_pages() {
        let packets = vec![vec![0u8; 61_200]; 3];
        assert_eq!(pages(&packets).len(), 3);
        let mut out = Vec::new();
        page(&mut out, 2, 0, 0, &[&packets[0]]);
        assert_eq!(out[26], 241);
    }
}
