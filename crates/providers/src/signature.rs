//! Signatures over raw bodies. Every comparison takes the same time wherever the difference is.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::Refused;

const NO_KEY: Refused = Refused { why: "no secret is set for this number, so nothing can be verified" };
const BAD_FORM: Refused = Refused { why: "the signature is not the right number of hex digits" };
const WRONG: Refused = Refused { why: "the signature does not match: another secret, or a changed body" };

/// HMAC-SHA512 in hex, with one of the keys.
pub(crate) fn sha512(keys: &[SecretString], body: &[u8], signature: &str) -> Result<(), Refused> {
    check(keys, signature, 64, |key| {
        let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(body);
        mac.finalize().into_bytes().to_vec()
    })
}

/// HMAC-SHA256 in hex, with one of the keys.
pub(crate) fn sha256(keys: &[SecretString], body: &[u8], signature: &str) -> Result<(), Refused> {
    check(keys, signature, 32, |key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(body);
        mac.finalize().into_bytes().to_vec()
    })
}

/// `appsecret_proof`: HMAC-SHA256 of the access token with the app secret, in hex.
pub(crate) fn proof(secret: &SecretString, token: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A word that must be one of the keys.
pub(crate) fn word(keys: &[SecretString], given: &str) -> Result<(), Refused> {
    let usable: Vec<_> = keys.iter().filter(|key| !key.expose_secret().is_empty()).collect();
    if usable.is_empty() {
        return Err(NO_KEY);
    }
    let mut same = subtle::Choice::from(0);
    for key in usable {
        same |= key.expose_secret().as_bytes().ct_eq(given.as_bytes());
    }
    if same.into() { Ok(()) } else { Err(WRONG) }
}

fn check(keys: &[SecretString], signature: &str, length: usize, mac: impl Fn(&[u8]) -> Vec<u8>) -> Result<(), Refused> {
    let usable: Vec<_> = keys.iter().filter(|key| !key.expose_secret().is_empty()).collect();
    if usable.is_empty() {
        return Err(NO_KEY);
    }
    let given = hex::decode(signature).ok().filter(|bytes| bytes.len() == length).ok_or(BAD_FORM)?;
    let mut same = subtle::Choice::from(0);
    for key in usable {
        same |= mac(key.expose_secret().as_bytes()).ct_eq(&given);
    }
    if same.into() { Ok(()) } else { Err(WRONG) }
}
