//! Files: a directory here, an object store later. Every key begins with the tenant, and is only read back for that tenant.
//!
//! A file is there whole or not at all: it is written beside its place, flushed to disk and renamed.
mod disk;

pub use disk::Disk;

use crate::{Error, Result, clock::Time, id::TenantId};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, WriteMultipart, local::LocalFileSystem, path::Path as Place,
};
use sha2::{Digest, Sha256};
use std::{fmt::Display, ops::Range, path::Path, sync::Arc};

/// All files; cheap to clone.
#[derive(Clone)]
pub struct Blobs(Arc<dyn ObjectStore>);

/// Where one file lies: `ten_…/2026-11/med_…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobKey(String);

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// The bytes of a file, piece by piece.
pub type Bits = BoxStream<'static, Result<Bytes>>;

impl BlobKey {
    /// A new key of a tenant. The month keeps directories small. `name` is an id of ours, never what somebody called a file.
    pub fn new(tenant: TenantId, now: Time, name: impl Display) -> BlobKey {
        BlobKey(format!("{tenant}/{:.7}/{name}", now.to_string()))
    }

    /// A key as the database has it. Errors: `Missing` if it is another tenant's.
    pub fn of(tenant: TenantId, text: &str) -> Result<BlobKey> {
        let own = text.strip_prefix(&tenant.to_string()).is_some_and(|rest| rest.starts_with('/'));
        if own && !text.contains("..") { Ok(BlobKey(text.into())) } else { Err(Error::Missing) }
    }

    /// As the database keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn place(&self) -> Place {
        Place::from(self.0.as_str())
    }
}

impl Blobs {
    /// Files in this directory, which is made when it is missing.
    pub fn directory(path: &Path) -> Result<Blobs> {
        let open = || {
            std::fs::create_dir_all(path)?;
            LocalFileSystem::new_with_prefix(path).map_err(std::io::Error::other)
        };
        let store =
            open().map_err(|e| Error::Unavailable(format!("the directory {} for media: {e}", path.display())))?;
        Ok(Blobs(Arc::new(store.with_fsync(true))))
    }

    /// Writes what comes, at most `most` bytes of it. Errors: `TooLarge`; `Unavailable` when the disk does not take it; what the
    /// stream gives. Nothing is left behind then.
    pub async fn write(
        &self,
        key: &BlobKey,
        most: u64,
        bits: impl Stream<Item = Result<Bytes>> + Send,
    ) -> Result<Written> {
        let upload = self.0.put_multipart(&key.place()).await.map_err(trouble)?;
        let mut to = WriteMultipart::new_with_chunk_size(upload, 1 << 20);
        match pour(&mut to, most, bits).await {
            Ok(written) => to.finish().await.map_err(trouble).map(|_| written),
            Err(e) => {
                let _ = to.abort().await; // the first error is the one to tell
                Err(e)
            }
        }
    }

    /// The file, or a part of it. Errors: `Missing`.
    pub async fn open(&self, key: &BlobKey, part: Option<Range<u64>>) -> Result<Bits> {
        let options = GetOptions { range: part.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.0.get_opts(&key.place(), options).await.map_err(trouble)?;
        Ok(found.into_stream().map(|bits| bits.map_err(trouble)).boxed())
    }

    /// The whole file in memory: for pictures, whose size has been checked.
    pub async fn bytes(&self, key: &BlobKey) -> Result<Bytes> {
        self.0.get(&key.place()).await.map_err(trouble)?.bytes().await.map_err(trouble)
    }

    /// Removes it; one that is gone already is no error.
    pub async fn delete(&self, key: &BlobKey) -> Result<()> {
        match self.0.delete(&key.place()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(trouble(e)),
        }
    }
}

async fn pour(to: &mut WriteMultipart, most: u64, bits: impl Stream<Item = Result<Bytes>> + Send) -> Result<Written> {
    let (mut size, mut hash) = (0u64, Sha256::new());
    let mut bits = std::pin::pin!(bits);
    while let Some(piece) = bits.next().await {
        let piece = piece?;
        size += piece.len() as u64;
        if size > most {
            return Err(Error::TooLarge(format!("This file is larger than {} MB.", most >> 20)));
        }
        hash.update(&piece);
        to.wait_for_capacity(2).await.map_err(trouble)?; // a slow disk slows the sender down, not our memory
        to.put(piece);
    }
    Ok(Written { size, sha256: hash.finalize().into() })
}

fn trouble(e: object_store::Error) -> Error {
    match e {
        object_store::Error::NotFound { .. } => Error::Missing,
        e => Error::Unavailable(format!("the store for media: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{TryStreamExt, stream};

    fn store(name: &str) -> (Blobs, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("indaba-blobs-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        (Blobs::directory(&path).unwrap(), path)
    }

    fn pieces(all: &[&'static [u8]]) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
        stream::iter(all.iter().map(|piece| Ok(Bytes::from_static(piece))).collect::<Vec<_>>())
    }

    fn files(path: &Path) -> usize {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|e| if e.path().is_dir() { files(&e.path()) } else { 1 }).sum()
    }

    #[tokio::test]
    async fn a_file_is_there_whole_or_not_at_all() {
        let (blobs, path) = store("whole");
        let tenant = TenantId([1; 16]);
        let key = BlobKey::new(tenant, Time(1_795_150_000_000), "med_x");
        assert_eq!(key.as_str(), format!("{tenant}/2026-11/med_x"));
        let written = blobs.write(&key, 100, pieces(&[b"hello ", b"world"])).await.unwrap();
        assert_eq!((written.size, &written.sha256[..2]), (11, &[0xb9, 0x4d][..]));
        assert_eq!(blobs.bytes(&key).await.unwrap(), "hello world");
        let part: Vec<Bytes> = blobs.open(&key, Some(6..9)).await.unwrap().try_collect().await.unwrap();
        assert_eq!(part.concat(), b"wor");

        let big = BlobKey::new(tenant, Time(1_795_150_000_000), "med_big");
        assert!(matches!(blobs.write(&big, 10, pieces(&[b"hello ", b"world"])).await, Err(Error::TooLarge(_))));
        let cut = stream::iter([Ok(Bytes::from_static(b"half")), Err(Error::Malformed("cut".into()))]);
        assert!(matches!(blobs.write(&big, 10, cut).await, Err(Error::Malformed(_))));
        assert_eq!(blobs.bytes(&big).await, Err(Error::Missing));
        assert_eq!(files(&path), 1, "nothing is left of what failed");

        blobs.delete(&key).await.unwrap();
        blobs.delete(&key).await.unwrap();
        assert_eq!(blobs.bytes(&key).await, Err(Error::Missing));
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_key_is_read_back_only_for_its_tenant() {
        let (ours, theirs) = (TenantId([1; 16]), TenantId([2; 16]));
        let key = BlobKey::new(ours, Time(0), "med_x");
        assert_eq!(BlobKey::of(ours, key.as_str()), Ok(key.clone()));
        assert_eq!(BlobKey::of(theirs, key.as_str()), Err(Error::Missing));
        assert_eq!(BlobKey::of(ours, &format!("{ours}/../{theirs}/med_x")), Err(Error::Missing));
        assert_eq!(BlobKey::of(ours, &format!("{ours}x/med_x")), Err(Error::Missing));
    }
}
