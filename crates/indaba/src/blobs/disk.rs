//! How much room is left where our files are.
use crate::clock::Clock;
use std::{
    ffi::CString,
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

/// Below this share of free space nothing new is taken in: the gateway keeps it and tries again.
const LEAST: f64 = 0.05;
/// How long one look is good for.
const LOOK_MS: i64 = 2_000;

/// The disk under a directory. Asking is cheap: it looks only every two seconds.
#[derive(Debug)]
pub struct Disk {
    path: CString,
    looked_at: AtomicI64,
    free: AtomicU64, // an f64 in bits
    held: AtomicBool,
    clock: Clock,
}

impl Disk {
    /// The disk that holds `path`.
    pub fn of(path: &Path, clock: Clock) -> Disk {
        let path = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        Disk {
            path,
            looked_at: AtomicI64::new(i64::MIN),
            free: AtomicU64::new(1f64.to_bits()),
            held: AtomicBool::new(false),
            clock,
        }
    }

    /// The share of the disk that we may still fill, 0 to 1. What cannot be found out counts as room.
    pub fn free(&self) -> f64 {
        let (now, last) = (self.clock.now().0, self.looked_at.load(Ordering::Relaxed));
        let due =
            !self.held.load(Ordering::Relaxed) && now.saturating_sub(last).unsigned_abs() >= LOOK_MS.unsigned_abs();
        if due && self.looked_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.free.store(look(&self.path).unwrap_or(1.0).to_bits(), Ordering::Relaxed);
        }
        f64::from_bits(self.free.load(Ordering::Relaxed))
    }

    /// From now on this share is free, whatever the disk says: for tests, as [`Clock::held`] is.
    pub fn hold(&self, share: f64) {
        self.held.store(true, Ordering::Relaxed);
        self.free.store(share.to_bits(), Ordering::Relaxed);
    }

    /// Less than a twentieth is free.
    pub fn is_low(&self) -> bool {
        self.free() < LEAST
    }
}

#[allow(unsafe_code, reason = "the standard library does not tell how full a disk is")]
fn look(path: &CString) -> Option<f64> {
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: the path ends in a zero byte, the place is large enough, and it is read only when the call has filled it.
    let found = unsafe { (libc::statvfs(path.as_ptr(), found.as_mut_ptr()) == 0).then(|| found.assume_init()) }?;
    // of what we may use at all: some is kept back for root
    let ours = found.f_blocks.saturating_sub(found.f_bfree) + found.f_bavail;
    (ours > 0).then(|| found.f_bavail as f64 / ours as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_how_much_is_free() {
        let disk = Disk::of(Path::new("/"), Clock::System);
        assert!((0.0..=1.0).contains(&disk.free()));
        assert_eq!(Disk::of(Path::new("/no/such/place"), Clock::System).free(), 1.0);
    }
}
