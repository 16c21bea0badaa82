//! The directory that the data is in: who has it, and how much room there is.
use crate::{Error, Result};
use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
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

/// How much of a file system is left, in bytes that we may use.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Free.
    pub free: u64,
    /// In all.
    pub total: u64,
}

/// The space where `path` is.
#[allow(unsafe_code)] // the system call fills the struct that it is given
pub fn space(path: &Path) -> std::io::Result<Space> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: all zeroes is a valid statvfs, and the path ends in NUL.
    let (code, found) = unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &mut found), found)
    };
    if code != 0 {
        return Err(std::io::Error::last_os_error());
    }
    #[allow(clippy::unnecessary_cast)] // their widths differ from system to system
    let (block, free, total) = (found.f_frsize as u64, found.f_bavail as u64, found.f_blocks as u64);
    Ok(Space { free: free.saturating_mul(block), total: total.saturating_mul(block) })
}

/// Answers whether there is room to take more in; looks once a second at most.
pub struct Room {
    dir: std::path::PathBuf,
    looked: Mutex<(Option<Instant>, bool)>,
}

impl Room {
    pub fn new(dir: &Path) -> Room {
        Room { dir: dir.into(), looked: Mutex::new((None, true)) }
    }

    /// False below 5 % free. A disk that cannot be asked does not stop the work.
    pub fn left(&self) -> bool {
        let mut looked = self.looked.lock().expect("no panic under this lock");
        if looked.0.is_none_or(|at| at.elapsed() >= Duration::from_secs(1)) {
            let left = space(&self.dir).is_ok_and(|space| space.free < space.total / 20);
            *looked = (Some(Instant::now()), !left);
        }
        looked.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_space_of_a_disk_is_known() {
        let space = space(&std::env::temp_dir()).unwrap();
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
        assert!(super::space(Path::new("/no/such/place")).is_err());
        assert!(Room::new(Path::new("/no/such/place")).left());
    }
}
