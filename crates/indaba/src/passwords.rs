//! Passwords: argon2id, off the runtime and a few at a time, and a list of those that anybody would try first.
use crate::{Error, Result};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// The shortest and the longest, in bytes: a longer one would only cost us time.
pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=1024;

/// What people choose and what is tried first, folded. Lists of leaked passwords agree on these and their like.
const COMMON: &str = include_str!("common-passwords.txt");

/// What is wrong with a new password, if anything. `near` is what must not be in it: the e-mail, the name.
pub fn fault(password: &str, near: &[&str]) -> Option<&'static str> {
    if !LENGTH.contains(&password.len()) {
        return Some("has 8 to 1024 bytes");
    }
    let folded = password.to_lowercase();
    let bare = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let common = |text: &str| COMMON.lines().any(|line| line == text);
    if common(&folded) || (bare.len() < 12 && common(bare)) {
        return Some("is one of those that everybody tries first");
    }
    let mut seen: Vec<char> = folded.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    let run = folded.as_bytes().windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    if seen.len() < 4 || run {
        return Some("repeats itself: use several words");
    }
    let told = |text: &&str| text.len() >= 4 && folded.contains(&text.to_lowercase()) && folded.len() < text.len() + 6;
    near.iter().any(told).then_some("holds your name or e-mail: use something else")
}

/// Argon2id with its recommended cost (19 MiB, two passes). Runs on a blocking thread; no more at once than memory should hold.
#[derive(Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
    cost: Argon2<'static>,
}

impl Hasher {
    /// As many at a time as there are processors.
    pub fn new() -> Hasher {
        let turns = std::thread::available_parallelism().map_or(2, |n| n.get());
        Hasher { turns: Arc::new(Semaphore::new(turns)), cost: Argon2::default() }
    }

    /// The smallest cost there is: for tests, which sign up all the time.
    pub fn cheap() -> Hasher {
        let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).expect("the least is allowed");
        Hasher { cost: Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params), ..Hasher::new() }
    }

    async fn apart<T: Send + 'static>(&self, f: impl FnOnce(&Argon2) -> T + Send + 'static) -> Result<T> {
        let _turn = self.turns.acquire().await.map_err(|_| Error::Closed)?;
        let cost = self.cost.clone();
        tokio::task::spawn_blocking(move || f(&cost)).await.map_err(|_| Error::Closed)
    }

    /// Its hash, with a salt of its own.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.apart(move |cost| hash(cost, &password)).await?
    }

    /// Whether `password` is the one that `known` was made from. Takes as long when there is none to compare with.
    pub async fn verify(&self, password: String, known: Option<String>) -> Result<bool> {
        self.apart(move |cost| {
            static NOBODY: OnceLock<String> = OnceLock::new();
            let nobody = || NOBODY.get_or_init(|| hash(cost, "nobody has this password").unwrap_or_default());
            let text = known.as_deref().unwrap_or_else(|| nobody());
            let matches = PasswordHash::new(text)
                .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
            matches && known.is_some()
        })
        .await
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

fn hash(cost: &Argon2, password: &str) -> Result<String> {
    let hashed = cost.hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|e| Error::Internal(format!("argon2 failed: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_would_try_first_is_refused() {
        for bad in [
            "short",
            "password",
            "Password1!",
            "qwertyuiop",
            "12345678",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcdefghijkl",
            "iloveyou2",
            "nomvula88",
            "whatsapp",
            &"x".repeat(1025),
        ] {
            assert!(fault(bad, &["nomvula", "nomvula@example.com"]).is_some(), "{bad:.20}");
        }
        for good in ["correct horse battery", "Tr4vel-by-night", "nomvula walks to the river", "пароль-для-меня"]
        {
            assert_eq!(fault(good, &["nomvula", "Moyo"]), None, "{good}");
        }
        assert!(COMMON.lines().all(|line| line == line.to_lowercase() && line.len() >= 6), "folded, and no empty line");
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_nobody_has_none() {
        let hasher = Hasher::cheap();
        let known = hasher.hash("right one".into()).await.unwrap();
        assert!(hasher.verify("right one".into(), Some(known.clone())).await.unwrap());
        assert!(!hasher.verify("wrong one".into(), Some(known)).await.unwrap());
        assert!(!hasher.verify("nobody has this password".into(), None).await.unwrap());
    }
}
