//! The way to a PostgreSQL server: its URL and its TLS.
//!
//! Beyond what the driver reads, the URL may say `sslrootcert=<file>` (PEM) for a CA of one's own; otherwise the system's are trusted.
//! Certificates are always verified, also with `sslmode=require`. Without `sslmode` a server on this machine is reached in the
//! clear, and others by TLS if they offer it.
use super::postgres::told;
use crate::{Error, Result};
use std::time::Duration;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How to connect, for the blocking client of the database threads and for the bus.
pub struct Link {
    /// Who and where.
    pub config: Config,
    /// With whose certificates.
    pub tls: MakeRustlsConnect,
}

impl Link {
    /// Reads a `postgres://` URL. Errors: `Unavailable` with a sentence for the operator.
    pub fn new(url: &str) -> Result<Link> {
        let wrong = |why: String| Error::Unavailable(format!("INDABA_DATABASE_URL cannot be used: {why}"));
        let (url, root, mode) = split(url);
        let mut config: Config = url.parse().map_err(|e| wrong(told(&e)))?;
        config.application_name("indaba");
        match mode.as_deref() {
            None if config.get_hosts().iter().all(here) => config.ssl_mode(SslMode::Disable),
            None | Some("prefer") => config.ssl_mode(SslMode::Prefer),
            Some("disable") => config.ssl_mode(SslMode::Disable),
            Some("require" | "verify-ca" | "verify-full") => config.ssl_mode(SslMode::Require),
            Some(other) => return Err(wrong(format!("sslmode={other} is not known"))),
        };
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(15));
        let mut roots = rustls::RootCertStore::empty();
        if config.get_ssl_mode() != SslMode::Disable {
            match root {
                Some(file) => {
                    use rustls::pki_types::{CertificateDer, pem::PemObject};
                    let read = |e: String| wrong(format!("sslrootcert {file}: {e}"));
                    for certificate in CertificateDer::pem_file_iter(&file).map_err(|e| read(e.to_string()))? {
                        let certificate = certificate.map_err(|e| read(e.to_string()))?;
                        roots.add(certificate).map_err(|e| read(e.to_string()))?;
                    }
                    if roots.is_empty() {
                        return Err(read("there is no certificate in it".into()));
                    }
                }
                None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
            }
        }
        let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Link { config, tls: MakeRustlsConnect::new(tls) })
    }

    /// A blocking connection; only on a thread without a runtime.
    pub fn connect(&self) -> Result<postgres::Client, postgres::Error> {
        postgres::Config::from(self.config.clone()).connect(self.tls.clone())
    }
}

/// On this machine: by a socket file or by loopback.
fn here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Host::Unix(_) => true,
    }
}

/// The URL without the two parameters that we read ourselves, and these.
fn split(url: &str) -> (String, Option<String>, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.into(), None, None) };
    let (mut rest, mut root, mut mode) = (Vec::new(), None, None);
    for pair in query.split('&') {
        let value = || url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
        match pair.split_once('=').map(|(name, _)| name) {
            Some("sslrootcert") => root = value(),
            Some("sslmode") => mode = value(),
            _ => rest.push(pair),
        }
    }
    let url = if rest.is_empty() { base.into() } else { format!("{base}?{}", rest.join("&")) };
    (url, root, mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_how_the_line_is_guarded() {
        let mode = |url: &str| Link::new(url).map(|link| link.config.get_ssl_mode());
        assert_eq!(mode("postgres://a:b@127.0.0.1:5432/indaba").unwrap(), SslMode::Disable);
        assert_eq!(mode("postgres://a@localhost/indaba?connect_timeout=9").unwrap(), SslMode::Disable);
        assert_eq!(mode("postgres:///indaba?host=/var/run/postgresql").unwrap(), SslMode::Disable);
        assert_eq!(mode("postgres://a@db.example/indaba").unwrap(), SslMode::Prefer);
        assert_eq!(mode("postgres://a@db.example/indaba?sslmode=verify-full").unwrap(), SslMode::Require);
        assert_eq!(mode("postgres://a@db.example/indaba?sslmode=disable").unwrap(), SslMode::Disable);
        let refused = |url| mode(url).unwrap_err().to_string();
        assert!(refused("postgres://a@db.example/x?sslmode=maybe").contains("sslmode=maybe is not known"));
        let missing = refused("postgres://a@db.example/x?sslmode=require&sslrootcert=%2Fno%20where.pem");
        assert!(missing.contains("sslrootcert /no where.pem"), "{missing}");
    }
}
