// Files to send.
import { deflateSync } from "node:zlib";

const table = Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length);
  body.copy(frame, 4);
  let sum = 0xffffffff;
  for (const byte of body) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
  frame.writeUInt32BE((sum ^ 0xffffffff) >>> 0, body.length + 4);
  return frame;
}

/** A PNG of this size: an evening sky above a dark field. */
export function photo(width = 320, height = 200) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8); // 8 bits, RGB
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      const dusk = y / height;
      rows.set(dusk < 0.7 ? [90 + 150 * dusk, 70 + 80 * dusk, 120] : [38, 46, 34], at);
    }
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The simulator's ready voice note: Ogg with Opus, as WhatsApp records. */
export async function voiceNote(simulator) {
  const answer = await fetch(`${simulator}/phone/voice-note.ogg`);
  return Buffer.from(await answer.arrayBuffer());
}
