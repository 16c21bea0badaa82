//! What a browser or a program carries to show who it is: an access token for a quarter of an hour, a refresh token that changes
//! each time it is used, an API key. All three are made here; only their hashes are kept.
use crate::{
    Error, Result,
    clock::Time,
    http::who::{SignInId, UserId},
    id::TenantId,
    secrets::Secrets,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long an access token is good for.
pub const ACCESS_LASTS: Duration = Duration::from_secs(15 * 60);
/// How long a browser stays signed in that does not come back.
pub const REFRESH_LASTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// For so long the former refresh token still works: a second tab may have sent it at the same moment, or the answer was lost.
pub const GRACE: Duration = Duration::from_secs(30);

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    #[serde(rename = "sub")]
    pub user: UserId,
    /// On which sign-in.
    #[serde(rename = "sid")]
    pub sign_in: SignInId,
    /// In whose tenant.
    #[serde(rename = "ten")]
    pub tenant: TenantId,
    /// The user's `auth_version` when it was made.
    #[serde(rename = "ver")]
    pub auth_version: i64,
    /// Until when, in seconds since 1970.
    exp: i64,
}

impl Claims {
    /// For a quarter of an hour from `now`.
    pub fn new(user: UserId, sign_in: SignInId, tenant: TenantId, auth_version: i64, now: Time) -> Claims {
        Claims { user, sign_in, tenant, auth_version, exp: (now + ACCESS_LASTS).0 / 1000 }
    }

    /// As a JWT (HS256).
    pub fn sign(&self, secrets: &Secrets) -> Result<String> {
        let key = EncodingKey::from_secret(&secrets.derive("access token"));
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), self, &key)
            .map_err(|e| Error::Internal(format!("a token was not signed: {e}")))
    }

    /// Reads a token of ours that is still good. Errors: `Unauthorized`.
    pub fn read(token: &str, secrets: &Secrets, now: Time) -> Result<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false; // by our own clock, below
        validation.required_spec_claims.clear();
        let keys = secrets.derive_all("access token");
        let read =
            |key: &[u8; 32]| jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(key), &validation).ok();
        let claims = keys.iter().find_map(read).ok_or(Error::Unauthorized)?.claims;
        if claims.exp.saturating_mul(1000) <= now.0 { Err(Error::Unauthorized) } else { Ok(claims) }
    }
}

/// A refresh token: `sin_….secret.tag`. The tag proves that we made it, so that a forged one ends nobody's sign-in.
/// The next secret follows from this one and a key of ours: two tabs that refresh at once are given the same.
#[derive(Clone, PartialEq)]
pub struct Refresh {
    /// Whose family it is of.
    pub sign_in: SignInId,
    secret: [u8; 32],
}

impl Refresh {
    /// The first of a family.
    pub fn first(sign_in: SignInId) -> Refresh {
        Refresh { sign_in, secret: rand::random() }
    }

    /// The one after this.
    pub fn next(&self, secrets: &Secrets) -> Refresh {
        let secret = mac(&secrets.derive("next refresh token"), &[&self.sign_in.0, &self.secret]);
        Refresh { sign_in: self.sign_in, secret }
    }

    /// What is kept of it.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.secret).to_vec()
    }

    /// Its text, for the cookie.
    pub fn text(&self, secrets: &Secrets) -> String {
        let tag = tag(&secrets.derive("refresh token"), self);
        format!("{}.{}.{}", self.sign_in, URL_SAFE_NO_PAD.encode(self.secret), URL_SAFE_NO_PAD.encode(tag))
    }

    /// Reads one that we made. Errors: `Unauthorized`.
    pub fn read(text: &str, secrets: &Secrets) -> Result<Refresh> {
        let read = || -> Option<Refresh> {
            let mut parts = text.split('.');
            let (id, secret, tag_) = (parts.next()?, parts.next()?, parts.next()?);
            let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
            let refresh = Refresh { sign_in: id.parse().ok()?, secret };
            let told = URL_SAFE_NO_PAD.decode(tag_).ok()?;
            let ours = secrets.derive_all("refresh token").iter().any(|key| tag(key, &refresh).ct_eq(&told[..]).into());
            (ours && parts.next().is_none()).then_some(refresh)
        };
        read().ok_or(Error::Unauthorized)
    }
}

fn tag(key: &[u8; 32], of: &Refresh) -> [u8; 16] {
    mac(key, &[&of.sign_in.0, &of.secret])[..16].try_into().expect("32 bytes have 16")
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// A secret to hand out once: its text, and the hash that is kept.
pub fn secret(prefix: &str) -> (String, Vec<u8>) {
    let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    let hash = hash(&text);
    (text, hash)
}

/// The hash that is kept of a secret. It is long and random: a plain hash is enough.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims::new(UserId([1; 16]), SignInId([2; 16]), TenantId([3; 16]), 7, Time(1_800_000_000_000))
    }

    #[test]
    fn an_access_token_is_good_for_its_time_and_from_us_only() {
        let (secrets, now) = (Secrets::random(), Time(1_800_000_000_000));
        let token = claims().sign(&secrets).unwrap();
        assert_eq!(Claims::read(&token, &secrets, now), Ok(claims()));
        assert_eq!(Claims::read(&token, &secrets, now + ACCESS_LASTS), Err(Error::Unauthorized));
        assert_eq!(Claims::read(&token, &Secrets::random(), now), Err(Error::Unauthorized));
        let none = jsonwebtoken::encode(
            &Header::new(Algorithm::HS512),
            &claims(),
            &EncodingKey::from_secret(&secrets.derive("access token")),
        );
        assert_eq!(Claims::read(&none.unwrap(), &secrets, now), Err(Error::Unauthorized), "another algorithm");
        let body = token.split('.').nth(1).unwrap();
        let unsigned = format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        for bad in [unsigned.as_str(), "", "a.b.c", &token[..token.len() - 2]] {
            assert_eq!(Claims::read(bad, &secrets, now), Err(Error::Unauthorized), "{bad}");
        }
    }

    #[test]
    fn refresh_tokens_follow_from_each_other_and_cannot_be_forged() {
        let secrets = Secrets::random();
        let first = Refresh::first(SignInId([2; 16]));
        let text = first.text(&secrets);
        assert!(Refresh::read(&text, &secrets).unwrap() == first);
        assert!(first.next(&secrets) == first.next(&secrets) && first.next(&secrets) != first);
        let own = Refresh::first(SignInId([2; 16])).text(&Secrets::random());
        for bad in ["", "a.b.c", &own, &text[..text.len() - 1], &format!("{text}.x")] {
            assert!(Refresh::read(bad, &secrets).is_err(), "{bad}");
        }
    }
}
