//! Files that were sent. Kept whole, in memory, within a bound.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// How many bytes the shelf holds; the oldest files go first.
const SHELF_HOLDS: usize = 192 * 1024 * 1024;

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    /// As the sender said.
    pub mimetype: String,
    /// As the sender named it.
    pub filename: Option<String>,
    /// The file.
    pub bytes: Bytes,
}

/// All files by id.
#[derive(Default)]
pub struct Shelf {
    files: HashMap<String, File>,
    order: VecDeque<String>,
    total: usize,
}

impl Shelf {
    /// Puts a file away and answers its id.
    pub fn put(&mut self, file: File) -> String {
        let id = uuid::Uuid::now_v7().simple().to_string();
        self.total += file.bytes.len();
        self.order.push_back(id.clone());
        self.files.insert(id.clone(), file);
        while self.total > SHELF_HOLDS && self.order.len() > 1 {
            let oldest = self.order.pop_front().expect("there are two or more");
            if let Some(gone) = self.files.remove(&oldest) {
                self.total -= gone.bytes.len();
            }
        }
        id
    }

    /// A file by id.
    pub fn get(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }
}

/// The ending that WAHA gives a file of this type.
pub fn extension(mimetype: &str) -> &'static str {
    match mimetype.split(';').next().unwrap_or_default().trim() {
        "image/jpeg" => "jpeg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "audio/ogg" => "oga",
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "video/mp4" => "mp4",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        _ => "bin",
    }
}
