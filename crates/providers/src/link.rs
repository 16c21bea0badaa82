//! How to reach one instance. Handed in with every call; nothing is kept here.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use crate::CallError;

/// One number on one gateway, as a provider needs it.
#[derive(Clone)]
pub struct Link {
    /// The caller's client ([`crate::client`] is the base of it): it carries the rules on private addresses and follows no redirect.
    pub http: reqwest::Client,
    /// The gateway: `http://127.0.0.1:3000`, `https://graph.facebook.com/v26.0`. A slash at its end does not matter.
    pub url: Url,
    /// API key or access token.
    pub key: SecretString,
    /// The gateway's own name of the instance: WAHA session, Evolution instance, phone_number_id.
    pub external_name: String,
    /// What the gateway runs, as [`crate::Provider::check`] last found it.
    pub build: Build,
    /// What its hooks are verified with.
    pub secrets: Secrets,
    /// What only some providers need.
    pub extras: Extras,
}

impl Link {
    /// The gateway's own name of the instance, which goes into paths: letters, digits, `-` and `_`, and not too many.
    pub(crate) fn name(&self, longest: usize, what: &str) -> Result<&str, CallError> {
        let name = self.external_name.as_str();
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let fits = plain && (1..=longest).contains(&name.len());
        if fits { Ok(name) } else { Err(CallError::Invalid(format!("this is no name of {what}"))) }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("url", &self.url.as_str())
            .field("external_name", &self.external_name)
            .finish_non_exhaustive()
    }
}

/// The program a gateway runs. Empty: not known yet, and the reference version is assumed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Build {
    /// `2026.6.1`, `2.3.7`, `v26.0`.
    pub version: Option<String>,
    /// `NOWEB`, `GOWS`, `WEBJS`.
    pub engine: Option<String>,
    /// `CORE`, `PLUS`.
    pub tier: Option<String>,
}

impl Build {
    /// `2.3.7`, also with something after it.
    pub(crate) fn number(&self) -> Option<(u32, u32, u32)> {
        let mut parts = self.version.as_deref()?.split(['.', '-', '+', ' ']).map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
    }
}

/// What a gateway proves itself with. Two keys while one is being replaced.
#[derive(Clone, Default)]
pub struct Secrets {
    /// WAHA: HMAC keys. Evolution: values of the secret header. Cloud: app secrets. The first is the one we give out.
    pub keys: Vec<SecretString>,
    /// Cloud: the word of the handshake.
    pub verify_token: Option<SecretString>,
}

/// What only some providers need.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Extras {
    /// Cloud: the WhatsApp Business account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waba_id: Option<String>,
    /// Cloud: the Meta app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Cloud: the PIN that registering the number takes.
    #[serde(skip)]
    pub pin: Option<Pin>,
}

/// Six digits that nobody should read in a log.
#[derive(Clone)]
pub struct Pin(pub SecretString);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

impl PartialEq for Pin {
    fn eq(&self, other: &Pin) -> bool {
        use secrecy::ExposeSecret;
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Pin {}
