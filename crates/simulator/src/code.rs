//! Codes that link a phone: to scan and to type.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use image::{GrayImage, ImageFormat, Luma};
use rand::RngExt as _;

use crate::chance::letters;

/// A code to scan as WhatsApp's: a version and four secrets.
pub fn scan() -> String {
    let part = || {
        let bytes: [u8; 32] = rand::rng().random();
        BASE64_STANDARD.encode(bytes)
    };
    format!("2@{},{},{},{}", part(), part(), part(), BASE64_STANDARD.encode(b"simulated"))
}

/// Eight letters and digits to type.
pub fn pairing() -> String {
    letters(8, b"ABCDEFGHJKLMNPQRSTVWXYZ123456789")
}

/// A code to scan as a PNG, black on white, four pixels a module.
pub fn draw(value: &str) -> Vec<u8> {
    const MODULE: u32 = 4;
    const QUIET: u32 = 4;
    let code = fast_qr::QRBuilder::new(value).build().expect("the code is far shorter than a QR code holds");
    let size = u32::try_from(code.size).expect("a QR code has at most 177 modules");
    let side = (size + 2 * QUIET) * MODULE;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = (x / MODULE, y / MODULE);
        let inside = |at: u32| (QUIET..QUIET + size).contains(&at);
        let dark = inside(x) && inside(y) && code[(y - QUIET) as usize][(x - QUIET) as usize].value();
        Luma([if dark { 0 } else { 255 }])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).expect("writing to memory does not fail");
    png.into_inner()
}
