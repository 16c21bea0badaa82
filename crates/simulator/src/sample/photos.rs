//! Drawn photos of houses and rooms: flat shapes, a little noise so that they compress like photos.

use image::{ImageFormat, Rgb, RgbImage};

/// What is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    House,
    Townhouse,
    Kitchen,
    Lounge,
    Garden,
    Damp,
}

const WIDTH: i32 = 800;
const HEIGHT: i32 = 600;

/// A colour as 0xRRGGBB.
type Colour = u32;

struct Canvas(RgbImage);

impl Canvas {
    fn new(colour: Colour) -> Canvas {
        Canvas(RgbImage::from_pixel(WIDTH as u32, HEIGHT as u32, rgb(colour)))
    }

    /// Paints every point within a box for which `inside` says so.
    fn paint(&mut self, [x, y, w, h]: [i32; 4], colour: Colour, inside: impl Fn(i32, i32) -> bool) {
        for py in y.max(0)..(y + h).min(HEIGHT) {
            for px in x.max(0)..(x + w).min(WIDTH) {
                if inside(px - x, py - y) {
                    self.0.put_pixel(px as u32, py as u32, rgb(colour));
                }
            }
        }
    }

    fn block(&mut self, area: [i32; 4], colour: Colour) {
        self.paint(area, colour, |_, _| true);
    }

    fn round(&mut self, [x, y, w, h]: [i32; 4], colour: Colour) {
        let (rx, ry) = (f64::from(w) / 2.0, f64::from(h) / 2.0);
        self.paint([x, y, w, h], colour, |px, py| {
            ((f64::from(px) - rx) / rx).powi(2) + ((f64::from(py) - ry) / ry).powi(2) <= 1.0
        });
    }

    /// A roof: a triangle that stands on the lower edge of its box.
    fn roof(&mut self, [x, y, w, h]: [i32; 4], colour: Colour) {
        self.paint([x, y, w, h], colour, |px, py| (px - w / 2).abs() * h <= py * w / 2);
    }

    fn window(&mut self, [x, y, w, h]: [i32; 4]) {
        self.block([x - 6, y - 6, w + 12, h + 12], 0xf7f4ee);
        self.block([x, y, w, h], 0x8fb4c8);
        self.paint([x, y, w, h], 0xb7d2de, |px, py| (px + py) % 90 < 34);
        self.block([x + w / 2 - 3, y, 6, h], 0xf7f4ee);
    }

    fn tree(&mut self, x: i32, y: i32, size: i32) {
        self.block([x - size / 12, y - size / 2, size / 6, size / 2], 0x6b4e37);
        self.round([x - size / 2, y - size * 5 / 4, size, size * 9 / 10], 0x4f7a43);
        self.round([x - size / 3, y - size * 6 / 5, size / 2, size / 2], 0x5f8c4f);
    }

    fn sky(&mut self) {
        self.block([0, 0, WIDTH, 400], 0xa9cfe8);
        self.block([0, 0, WIDTH, 160], 0x94c1e0);
        self.round([600, 50, 90, 90], 0xfbe3a1);
        self.round([90, 80, 190, 50], 0xf3f7fa);
        self.round([150, 60, 130, 60], 0xf3f7fa);
    }
}

fn rgb(colour: Colour) -> Rgb<u8> {
    let [_, r, g, b] = colour.to_be_bytes();
    Rgb([r, g, b])
}

/// A photo as JPEG.
pub fn draw(scene: Scene) -> Vec<u8> {
    let mut canvas = match scene {
        Scene::House => house(),
        Scene::Townhouse => townhouse(),
        Scene::Kitchen => kitchen(),
        Scene::Lounge => lounge(),
        Scene::Garden => garden(),
        Scene::Damp => damp(),
    };
    // The grain of a small camera, the same each time.
    let mut seed = 0x2545_f491u32 ^ scene as u32;
    for pixel in canvas.0.pixels_mut() {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        let grain = (seed % 13) as i16 - 6;
        pixel.0 = pixel.0.map(|part| (i16::from(part) + grain).clamp(0, 255) as u8);
    }
    let mut jpeg = std::io::Cursor::new(Vec::new());
    canvas.0.write_to(&mut jpeg, ImageFormat::Jpeg).expect("writing to memory does not fail");
    jpeg.into_inner()
}

fn house() -> Canvas {
    let mut canvas = Canvas::new(0x86a860);
    canvas.sky();
    canvas.block([0, 400, WIDTH, 200], 0x86a860);
    canvas.tree(90, 440, 190);
    canvas.block([160, 270, 480, 190], 0xd9b38c);
    canvas.roof([120, 150, 560, 125], 0x9c4f3a);
    canvas.window([210, 320, 90, 80]);
    canvas.window([340, 320, 90, 80]);
    canvas.block([470, 310, 150, 150], 0xefe9df);
    (0..4).for_each(|n| canvas.block([478, 322 + n * 34, 134, 4], 0xc8bfb0));
    canvas.paint([420, 460, 300, 140], 0xb9a68f, |px, py| px > 40 - py / 4 && px < 210 + py / 2);
    canvas.tree(735, 470, 150);
    canvas
}

fn townhouse() -> Canvas {
    let mut canvas = Canvas::new(0x9db36d);
    canvas.sky();
    canvas.block([0, 420, WIDTH, 180], 0xa9a39a);
    for (at, wall) in [0xe8e1d3, 0xcfd6d2, 0xe3d2bf].into_iter().enumerate() {
        let x = 70 + at as i32 * 225;
        canvas.block([x, 220, 215, 220], wall);
        canvas.roof([x - 8, 130, 231, 92], 0x5d636b);
        canvas.window([x + 30, 250, 60, 60]);
        canvas.window([x + 125, 250, 60, 60]);
        canvas.block([x + 30, 345, 55, 95], 0x3f5b50);
        canvas.block([x + 110, 350, 90, 90], 0xf4f0e8);
    }
    canvas.block([0, 440, WIDTH, 10], 0x7f9a55);
    canvas
}

fn kitchen() -> Canvas {
    let mut canvas = Canvas::new(0xf0ece4);
    for row in 0..4 {
        (0..12).for_each(|at| canvas.block([at * 68 + 2, 190 + row * 36, 64, 32], 0xdfe7e6));
    }
    (0..4).for_each(|at| canvas.block([at * 150 + 20, 40, 140, 140], 0x4d6b62));
    (0..4).for_each(|at| canvas.block([at * 150 + 140, 150, 8, 22], 0xd8c9a4));
    canvas.window([640, 50, 130, 120]);
    canvas.block([0, 335, WIDTH, 28], 0xb58d63);
    (0..5).for_each(|at| canvas.block([at * 160 + 6, 370, 148, 170], 0x587a70));
    canvas.block([326, 370, 148, 170], 0x33383b);
    canvas.block([340, 400, 120, 90], 0x1d2123);
    (0..4).for_each(|at| canvas.round([340 + at * 32, 376, 16, 16], 0xd5d8d9));
    canvas.block([0, 545, WIDTH, 55], 0xcabfae);
    canvas
}

fn lounge() -> Canvas {
    let mut canvas = Canvas::new(0xf3ede1);
    canvas.block([0, 430, WIDTH, 170], 0xb98f66);
    (0..9).for_each(|at| canvas.block([0, 430 + at * 19, WIDTH, 2], 0xa87f58));
    canvas.window([90, 80, 280, 230]);
    canvas.window([430, 80, 280, 230]);
    canvas.block([60, 50, 36, 340], 0xd7c7ad);
    canvas.block([716, 50, 36, 340], 0xd7c7ad);
    canvas.round([170, 470, 470, 110], 0x8d5f4a);
    canvas.block([200, 340, 380, 120], 0x567089);
    canvas.block([180, 380, 50, 110], 0x4a617a);
    canvas.block([560, 380, 50, 110], 0x4a617a);
    canvas.block([235, 360, 110, 60], 0xe0b25a);
    canvas.block([690, 330, 16, 150], 0x5b5148);
    canvas.round([640, 270, 116, 80], 0xf6e6bf);
    canvas
}

fn garden() -> Canvas {
    let mut canvas = Canvas::new(0x7fa65a);
    canvas.sky();
    canvas.block([0, 300, WIDTH, 60], 0xcdb79a);
    canvas.block([0, 360, WIDTH, 240], 0x7fa65a);
    canvas.round([170, 400, 480, 160], 0xd9d2c4);
    canvas.round([195, 412, 430, 132], 0x4aa3bf);
    canvas.paint([195, 412, 430, 132], 0x6fbbd1, |px, py| {
        (px + py * 3) % 120 < 26
            && ((f64::from(px) - 215.0) / 200.0).powi(2) + ((f64::from(py) - 66.0) / 56.0).powi(2) < 1.0
    });
    canvas.tree(80, 400, 200);
    canvas.tree(720, 390, 170);
    canvas.tree(560, 350, 120);
    canvas
}

fn damp() -> Canvas {
    let mut canvas = Canvas::new(0xf2efe8);
    canvas.block([0, 330, WIDTH, 270], 0xe0e6e4);
    (0..13).for_each(|at| canvas.block([at * 64, 330, 2, 270], 0xc9d2cf));
    (0..5).for_each(|at| canvas.block([0, 330 + at * 60, WIDTH, 2], 0xc9d2cf));
    canvas.block([0, 322, WIDTH, 10], 0xd8d2c6);
    canvas.round([250, 60, 360, 210], 0xddd0b4);
    canvas.round([290, 85, 280, 160], 0xcdb98f);
    canvas.round([350, 110, 170, 110], 0xb69e72);
    canvas.round([180, 190, 110, 70], 0xe2d6bd);
    canvas.block([430, 215, 5, 90], 0xb69e72);
    canvas.block([470, 205, 4, 60], 0xc4ae84);
    canvas.round([90, 90, 80, 80], 0xfdfbf4);
    canvas
}

#[cfg(test)]
mod tests {
    use super::{Scene, draw};

    #[test]
    fn photos_are_photos_and_differ() {
        let all = [Scene::House, Scene::Townhouse, Scene::Kitchen, Scene::Lounge, Scene::Garden, Scene::Damp].map(draw);
        for photo in &all {
            let size = image::load_from_memory(photo).unwrap();
            assert_eq!((size.width(), size.height()), (800, 600));
            assert!(photo.len() < 400_000, "{} bytes", photo.len());
        }
        assert!(all.windows(2).all(|two| two[0] != two[1]));
    }
}
