//! The directory that the data is in: who has it. (How full its disk is: `blobs/disk.rs`.)
use crate::{Error, Result};
use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

/// Makes the directory if need be and takes it for this process; the lock ends with the file, however the process ends.
/// Errors: `Unavailable` with a sentence for the operator if another server has it.
pub fn lock(dir: &Path) -> Result<File> {
    let failed =
        |e: std::io::Error| Error::Unavailable(format!("The data directory {} cannot be used: {e}", dir.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    let path = dir.join("indaba.lock");
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut who = String::new();
            let _ = file.read_to_string(&mut who);
            Err(Error::Unavailable(format!(
                "Another Indaba server (process {}) uses the data directory {}. Stop it first, or give this one a directory of its own: INDABA_DATA_DIR.",
                who.trim(),
                dir.display()
            )))
        }
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}
