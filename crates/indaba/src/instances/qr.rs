//! A code as a picture: black on white in every theme, with a quiet zone of four modules (ISO/IEC 18004).
use crate::{Error, Result};
use fast_qr::{ECL, QRBuilder};
use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;

/// Modules of white around the code.
const QUIET: u32 = 4;

/// A PNG whose code, without the quiet zone, is at least 280 pixels wide (UX-C3). Errors: `Internal` for a text that no code holds.
pub fn png(text: &str) -> Result<Vec<u8>> {
    let code = QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .map_err(|e| Error::Internal(format!("this code cannot be drawn: {e}")))?;
    let modules = u32::try_from(code.size).expect("at most 177 modules");
    let scale = 280_u32.div_ceil(modules).max(4);
    let side = (modules + 2 * QUIET) * scale;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let (column, row) = ((x / scale).wrapping_sub(QUIET), (y / scale).wrapping_sub(QUIET));
        let dark = column < modules && row < modules && code[row as usize][column as usize].value();
        Luma([if dark { 0 } else { 255 }])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|e| Error::Internal(format!("a picture was not written: {e}")))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_big_enough_and_has_a_white_edge() {
        let bytes = png("2@AbCdEfGhIjKlMnOpQrStUvWxYz0123456789,AbCdEfGh=,IjKlMnOp=,QrStUvWx=").unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_luma8();
        assert_eq!(picture.width(), picture.height());
        let dark: Vec<u32> = picture.enumerate_pixels().filter(|(.., p)| p.0[0] == 0).map(|(x, ..)| x).collect();
        let (first, last) = (*dark.iter().min().unwrap(), *dark.iter().max().unwrap());
        assert!(last - first + 1 >= 280, "the code is {} wide", last - first + 1);
        assert!(first >= 16 && picture.width() - last > 16, "four modules of at least four pixels");
    }

    #[test]
    fn a_text_that_no_code_holds_is_refused() {
        assert!(png(&"x".repeat(5000)).is_err());
    }
}
