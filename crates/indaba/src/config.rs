//! What the operator may set. `config.default.toml` names every key and is compiled in; a file and then `INDABA_…` variables override it.
use crate::db::Synchronous;
use figment::{
    Figment, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// The annotated defaults: the only list of keys there is.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Database file, media, key file.
    pub data_dir: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// How others reach us; use [`Config::public_url`].
    #[serde(deserialize_with = "set")]
    public_url: Option<String>,
    /// PostgreSQL; none means SQLite.
    #[serde(deserialize_with = "secret")]
    pub database_url: Option<SecretString>,
    /// The first seals, the others open; none means the key file.
    #[serde(deserialize_with = "secret")]
    pub secret_key: Option<SecretString>,
    /// Wake-ups between nodes.
    #[serde(deserialize_with = "secret")]
    pub bus_url: Option<SecretString>,
    /// Where media live.
    #[serde(deserialize_with = "secret")]
    pub blobs_url: Option<SecretString>,
    /// Private addresses that tenants may name.
    pub private_hosts: Vec<String>,
    /// Who may sign up.
    pub sign_up: SignUp,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Origins that may call the API from a browser, besides our own.
    pub cors_origins: Vec<String>,
    /// Opens `/metrics` and the details of `/api/health`.
    #[serde(deserialize_with = "secret")]
    pub metrics_token: Option<SecretString>,
    /// A listener of its own for `/metrics`.
    #[serde(deserialize_with = "set")]
    metrics_listen: Option<String>,
    /// Meta's Graph API.
    pub graph_url: String,
    /// Logs.
    pub log: Log,
    /// Database threads.
    pub database: Database,
    /// How much is too much.
    pub limits: Limits,
    /// How fast linked devices send.
    pub pace: Pace,
    /// Background work.
    pub jobs: Jobs,
    /// Outbound messages.
    pub sending: Sending,
    /// What texts link to.
    pub links: Links,
    /// The operator's first gateway.
    pub gateway: Gateway,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignUp {
    /// Anyone.
    Open,
    /// Those with an invitation.
    Invite,
}

/// Logs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// JSON lines, or text for a person at a terminal.
    pub format: LogFormat,
    /// As in RUST_LOG.
    pub filter: String,
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For eyes.
    Text,
}

/// Database threads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// SQLite's `synchronous`.
    pub sqlite_sync: Synchronous,
    /// Threads that read.
    pub sqlite_readers: usize,
    /// Threads with a connection each.
    pub postgres_connections: usize,
}

/// How much is too much.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests of one user or API key.
    pub user_per_minute: u32,
    /// Requests of all of a tenant's.
    pub tenant_per_minute: u32,
    /// Looks of one user into conversations and files, which count apart.
    pub looks_per_minute: u32,
    /// Tries to sign in, by address and by e-mail.
    pub sign_in_per_minute: u32,
    /// Hooks of one instance.
    pub hooks_per_minute: u32,
    /// A JSON body.
    pub body_bytes: usize,
    /// A hook's body.
    pub hook_bytes: usize,
    /// An upload.
    pub media_bytes: usize,
    /// A whole request, in seconds.
    pub request_s: u64,
    /// One that uploads a file; no longer than `request_s` may pass in it without a byte.
    pub upload_s: u64,
    /// Live streams of one user or API key, in this process.
    pub sockets_per_user: u32,
}

/// How fast linked devices send.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Shortest wait between two messages.
    pub linked_min_ms: u64,
    /// Longest.
    pub linked_max_ms: u64,
    /// People who never wrote, a day.
    pub new_chats_per_day: u32,
}

/// Background work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// After so many silent seconds a worker counts as dead.
    pub lease_s: u64,
    /// Jobs at a time.
    pub workers: usize,
}

/// Outbound messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sending {
    /// From `sending` to `unknown`.
    pub unknown_after_s: u64,
}

/// What texts link to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// Whether workspaces may have previews.
    pub previews: bool,
    /// Private addresses whose pages may be asked.
    pub private_hosts: Vec<String>,
}

/// The operator's first gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// `waha`, `evolution`, `cloud`; none means that there is none yet.
    #[serde(deserialize_with = "set")]
    pub kind: Option<String>,
    /// Where it answers.
    #[serde(deserialize_with = "set")]
    pub url: Option<String>,
    /// Its API key.
    #[serde(deserialize_with = "secret")]
    pub key: Option<SecretString>,
    /// Signs its global hooks.
    #[serde(deserialize_with = "secret")]
    pub hook_secret: Option<SecretString>,
    /// What it says when it asks whether the URL of its global hooks is ours.
    #[serde(deserialize_with = "secret")]
    pub verify_token: Option<SecretString>,
    /// Where it stands.
    #[serde(deserialize_with = "set")]
    pub region: Option<String>,
    /// Numbers it can carry.
    pub capacity: u32,
}

impl Config {
    /// Reads the defaults, then `file`, then `env` (every variable; those that do not begin with `INDABA_` are passed over).
    /// Errors: one sentence that names the key and where it came from.
    pub fn load(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Config, String> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let known = Toml::string(DEFAULTS).data().ok().and_then(|mut of| of.remove(&Profile::Default));
        let known = known.expect("the defaults are TOML, and a test reads them");
        let config: Config = figment.merge(Variables(variables(&known, env)?)).extract().map_err(|e| e.to_string())?;
        config.check()
    }

    /// The variables of this process, those that are text.
    pub fn environment() -> impl Iterator<Item = (String, String)> {
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
    }

    /// How browsers and gateways reach us: no slash at the end.
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// Whether the operator said how we are reached; else the request's own host has to do.
    pub fn has_public_url(&self) -> bool {
        self.public_url.is_some()
    }

    /// A listener for `/metrics` alone.
    pub fn metrics_listen(&self) -> Option<SocketAddr> {
        self.metrics_listen.as_ref().map(|text| text.parse().expect("checked when it was read"))
    }

    /// Says which port was taken, when any would do.
    pub fn listening_at(mut self, address: SocketAddr) -> Config {
        self.listen = address;
        self
    }

    /// Says that we are reached at `url`: for whoever binds a free port.
    pub fn reached_at(mut self, url: &str) -> Config {
        self.public_url = Some(url.trim_end_matches('/').to_owned());
        self
    }

    fn check(mut self) -> Result<Config, String> {
        if let Some(url) = &mut self.public_url {
            let parsed = url::Url::parse(url).map_err(|e| format!("public_url: {e}"))?;
            if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
                return Err("public_url: begins with http:// or https://".into());
            }
            if parsed.path() != "/" || parsed.query().is_some() || parsed.fragment().is_some() {
                return Err("public_url: a server, without a path".into());
            }
            *url = parsed.origin().ascii_serialization();
        }
        if let Some(text) = &self.metrics_listen {
            text.parse::<SocketAddr>().map_err(|e| format!("metrics_listen: {e}"))?;
        }
        if let Some(url) = &self.database_url
            && !["postgres://", "postgresql://"].iter().any(|start| url.expose_secret().starts_with(start))
        {
            return Err("database_url: begins with postgres://, or is empty for SQLite".into());
        }
        if self.pace.linked_min_ms > self.pace.linked_max_ms {
            return Err("pace.linked_min_ms: not more than linked_max_ms".into());
        }
        if self.gateway.kind.is_some() != self.gateway.url.is_some() {
            return Err("gateway.kind and gateway.url: both or neither".into());
        }
        let counts = [
            ("database.sqlite_readers", self.database.sqlite_readers),
            ("database.postgres_connections", self.database.postgres_connections),
            ("jobs.workers", self.jobs.workers),
            ("limits.user_per_minute", self.limits.user_per_minute as usize),
            ("limits.tenant_per_minute", self.limits.tenant_per_minute as usize),
            ("limits.sign_in_per_minute", self.limits.sign_in_per_minute as usize),
            ("limits.hooks_per_minute", self.limits.hooks_per_minute as usize),
        ];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some((key, _)) => Err(format!("{key}: at least 1")),
            None => Ok(self),
        }
    }
}

/// `INDABA_LIMITS_USER_PER_MINUTE=50` → `limits.user_per_minute = 50`, read as what the default is: a text, a number, a list.
fn variables(known: &Dict, env: impl IntoIterator<Item = (String, String)>) -> Result<Dict, String> {
    let mut out = Dict::new();
    for (name, text) in env {
        let Some(key) = name.strip_prefix("INDABA_").map(str::to_ascii_lowercase) else { continue };
        if matches!(key.as_str(), "config" | "role") {
            continue; // options of the command line
        }
        let section = key.split_once('_').filter(|(section, _)| matches!(known.get(*section), Some(Value::Dict(..))));
        match (section, known.get(&key)) {
            (_, Some(like)) if !matches!(like, Value::Dict(..)) => {
                out.insert(key, read(&name, like, &text)?);
            }
            (Some((section, key)), _) => {
                let Some(Value::Dict(_, inner)) = known.get(section) else { unreachable!("just seen") };
                let like = inner.get(key).ok_or_else(|| unknown(&name))?;
                let into = out.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
                let Value::Dict(_, into) = into else { unreachable!("just made") };
                into.insert(key.to_owned(), read(&name, like, &text)?);
            }
            _ => return Err(unknown(&name)),
        }
    }
    Ok(out)
}

fn unknown(name: &str) -> String {
    format!("{name}: there is no such setting; see config.default.toml")
}

fn read(name: &str, like: &Value, text: &str) -> Result<Value, String> {
    match like {
        Value::Num(..) => text.trim().parse::<u64>().map(Value::from).map_err(|_| format!("{name}: a whole number")),
        Value::Bool(..) => text.trim().parse::<bool>().map(Value::from).map_err(|_| format!("{name}: true or false")),
        Value::Array(..) => Ok(Value::from(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect::<Vec<_>>(),
        )),
        _ => Ok(Value::from(text)),
    }
}

struct Variables(Dict);

impl Provider for Variables {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("INDABA_ environment variables")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

/// An empty text means: not set.
fn set<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(set(from)?.map(SecretString::from))
}

/// An address or a network: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    at: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether `ip` is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip.to_canonical() {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)) << 96, 32),
            IpAddr::V6(ip) => (u128::from(ip), 128),
        };
        let ((ours, kind), (theirs, of)) = (bits(self.at), bits(ip));
        kind == of && (self.bits == 0 || (ours ^ theirs) >> (128 - u32::from(self.bits)) == 0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Network, D::Error> {
        let text = String::deserialize(from)?;
        let (at, bits) = text.split_once('/').map_or((text.as_str(), None), |(at, bits)| (at, Some(bits)));
        let wrong = || de::Error::custom(format!("`{text}` is not an address or a network such as 10.0.0.0/8"));
        let at: IpAddr = at.trim().parse::<IpAddr>().map_err(|_| wrong())?.to_canonical();
        let most = if at.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.trim().parse().map_err(|_| wrong()))?;
        if bits > most { Err(wrong()) } else { Ok(Network { at, bits }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(of: &[(&str, &str)]) -> Result<Config, String> {
        Config::load(None, of.iter().map(|(name, text)| ((*name).into(), (*text).into())))
    }

    #[test]
    fn what_nobody_sets_is_the_default() {
        let config = env(&[("PATH", "/bin")]).unwrap();
        assert_eq!(config.public_url(), "http://127.0.0.1:8080");
        assert_eq!(config.limits.user_per_minute, 100);
        assert!(config.database_url.is_none() && config.gateway.kind.is_none() && !config.has_public_url());
    }

    #[test]
    fn variables_override_and_are_read_as_what_they_set() {
        let config = env(&[
            ("INDABA_PUBLIC_URL", "https://Chat.example.com/"),
            ("INDABA_SECRET_KEY", "12345678901234567890123456789012"),
            ("INDABA_PRIVATE_HOSTS", "127.0.0.1:3000, n8n"),
            ("INDABA_TRUSTED_PROXIES", "10.0.0.0/8,::1"),
            ("INDABA_LIMITS_SIGN_IN_PER_MINUTE", "3"),
            ("INDABA_GATEWAY_KIND", "waha"),
            ("INDABA_GATEWAY_URL", "http://127.0.0.1:3000"),
            ("INDABA_GATEWAY_HOOK_SECRET", "1234"),
        ])
        .unwrap();
        assert_eq!(config.public_url(), "https://chat.example.com");
        assert_eq!(config.private_hosts, ["127.0.0.1:3000", "n8n"]);
        assert_eq!(config.limits.sign_in_per_minute, 3);
        assert_eq!(config.gateway.hook_secret.unwrap().expose_secret(), "1234");
        let proxy = |ip: &str| config.trusted_proxies.iter().any(|net| net.contains(ip.parse().unwrap()));
        assert!(proxy("10.200.3.4") && proxy("::ffff:10.1.1.1") && proxy("::1") && !proxy("11.0.0.1") && !proxy("::2"));
    }

    #[test]
    fn what_is_not_known_or_makes_no_sense_is_an_error_that_names_it() {
        for (name, text) in [
            ("INDABA_LIMIT", "1"),
            ("INDABA_LIMITS", "1"),
            ("INDABA_LIMITS_USERS", "1"),
            ("INDABA_LIMITS_USER_PER_MINUTE", "many"),
        ] {
            assert!(env(&[(name, text)]).unwrap_err().contains(name), "{name}");
        }
        for (name, text) in [
            ("INDABA_PUBLIC_URL", "chat.example.com"),
            ("INDABA_PUBLIC_URL", "https://example.com/chat"),
            ("INDABA_SIGN_UP", "maybe"),
            ("INDABA_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("INDABA_DATABASE_URL", "mysql://x"),
            ("INDABA_DATABASE_SQLITE_SYNC", "OFF"),
            ("INDABA_GATEWAY_KIND", "waha"),
            ("INDABA_LIMITS_TENANT_PER_MINUTE", "0"),
        ] {
            let said = env(&[(name, text)]).unwrap_err().to_lowercase();
            let key = name.trim_start_matches("INDABA_").to_lowercase();
            assert!(said.contains(key.rsplit('_').next().unwrap()), "{name}: {said}");
        }
        let file = std::env::temp_dir().join(format!("indaba-config-{}.toml", std::process::id()));
        std::fs::write(&file, "listne = \"127.0.0.1:1\"\n").unwrap();
        assert!(Config::load(Some(&file), []).unwrap_err().contains("listne"));
        std::fs::write(&file, "[limits]\nusers = 1\n").unwrap();
        assert!(Config::load(Some(&file), []).unwrap_err().contains("users"));
        std::fs::remove_file(&file).unwrap();
        assert!(Config::load(Some(&file), []).is_err(), "a file that is not there");
    }
}
