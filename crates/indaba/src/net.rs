//! The way out: HTTP clients for addresses that people name. What a tenant names may not lie inside our own network, unless the operator
//! has listed it in `private_hosts`: checked when it is named, and again by the resolver after DNS. Nothing follows redirects.
use crate::{Error, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};
use url::{Host, Url};

/// The two clients (guarded, trusted), and the list of private hosts that tenants may name.
#[derive(Clone)]
pub struct Net {
    clients: Arc<[OnceLock<reqwest::Client>; 2]>,
    allowed: Arc<[Allowed]>,
}

/// One entry of `private_hosts`: a host, with or without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    host: String,
    port: Option<u16>,
}

impl Allowed {
    fn parse(entry: &str) -> Result<Allowed, String> {
        let wrong = || format!("private_hosts: \"{entry}\" is not a host, with or without a port");
        if entry.contains(['/', '@', '?', '#']) {
            return Err(wrong());
        }
        let url: Url = format!("http://{}/", entry.trim()).parse().map_err(|_| wrong())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_owned();
        let has_port =
            entry.trim().trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(':') && !entry.ends_with("::");
        let port = has_port.then(|| url.port_or_known_default()).flatten();
        Ok(Allowed { host, port })
    }
}

impl Net {
    /// With the operator's `private_hosts`. Errors: a sentence that names the entry that is none.
    pub fn new(private_hosts: &[String]) -> Result<Net, String> {
        let allowed: Arc<[Allowed]> =
            private_hosts.iter().map(|entry| Allowed::parse(entry)).collect::<Result<_, _>>()?;
        Ok(Net { clients: Arc::default(), allowed })
    }

    /// For addresses that a tenant named. Ask [`Net::check`] about the URL first: a literal address needs no resolver.
    pub fn guarded(&self) -> reqwest::Client {
        let guard = || Arc::new(Guard { allowed: self.allowed.clone() });
        self.clients[0].get_or_init(|| built(|| base().dns_resolver(guard()))).clone()
    }

    /// For addresses that the operator named.
    pub fn trusted(&self) -> reqwest::Client {
        self.clients[1].get_or_init(|| built(base)).clone()
    }

    /// Whether the operator has listed this host, and with it this port.
    pub fn lists(&self, url: &Url) -> bool {
        let (name, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
        self.allowed.iter().any(|entry| entry.host == name && entry.port.is_none_or(|only| Some(only) == port))
    }

    /// Whether a tenant may name this URL. Errors: 422 without a pointer; says what to do.
    pub fn check(&self, url: &str) -> Result<()> {
        let refuse = |why: &str| Err(Error::field("", why));
        let Ok(url) = url.parse::<Url>() else { return refuse("is not a URL") };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return refuse("has no host") };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("begins with http:// or https://");
        }
        let name = url.host_str().unwrap_or_default();
        let mut named = self.allowed.iter().filter(|entry| entry.host == name).peekable();
        if named.peek().is_some() {
            let open = named.any(|entry| entry.port.is_none_or(|only| only == port));
            return if open {
                Ok(())
            } else {
                refuse("is a private address, and the operator has opened another port of it")
            };
        }
        let address = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => {
                Some(Ipv4Addr::LOCALHOST.into())
            }
            Host::Domain(_) => None,
        };
        match address {
            Some(address) if is_private(address) => {
                refuse("is a private address. Ask the operator to list it in INDABA_PRIVATE_HOSTS.")
            }
            _ => Ok(()),
        }
    }
}

fn base() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(60))
        // Node closes an idle connection after 5 s: a send on one that is just closing would end as unknown
        .pool_idle_timeout(Duration::from_secs(3))
        .no_proxy()
        .user_agent(concat!("Indaba/", env!("CARGO_PKG_VERSION")))
}

/// Made when it is first needed: a client reads the system's certificates, which takes milliseconds and memory. A system without any
/// can still be reached by `http://`.
fn built(builder: impl Fn() -> reqwest::ClientBuilder) -> reqwest::Client {
    builder().build().unwrap_or_else(|e| {
        tracing::error!("no https:// address can be reached: {e:?}");
        builder().tls_certs_only([]).build().expect("without certificates there is nothing to read")
    })
}

/// Resolves names, and leaves out the addresses that lie inside.
struct Guard {
    allowed: Arc<[Allowed]>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let open = self.allowed.iter().any(|entry| entry.host == name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = found.filter(|at| open || !is_private(at.ip())).collect();
            if addresses.is_empty() {
                return Err("this name leads to no public address".into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is not one of the open internet: loopback, private, link-local, shared, documentation, multicast, reserved, and
/// IPv6 forms that carry such an IPv4 address. Source: the IANA special-purpose registries.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) => private_v6(v6),
    }
}

fn private_v4(at: Ipv4Addr) -> bool {
    let [a, b, c, _] = at.octets();
    at.is_private()
        || at.is_loopback()
        || at.is_link_local()
        || at.is_documentation()
        || at.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
}

fn private_v6(at: Ipv6Addr) -> bool {
    let s = at.segments();
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        private_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(v4) = at.to_ipv4_mapped() {
        return private_v4(v4);
    }
    match s {
        [0, 0, 0, 0, 0, 0, ..] => true, // unspecified, loopback, IPv4-compatible
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => carried(high, low), // NAT64
        [0x64, 0xff9b, 1, ..] => true,  // local NAT64
        [0x2002, high, low, ..] => carried(high, low), // 6to4
        [0x2001, 0, ..] | [0x2001, 0xdb8, ..] | [0x100, 0, 0, 0, ..] => true, // Teredo, documentation, discard
        [first, ..] => {
            first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || first & 0xffc0 == 0xfec0 || first & 0xff00 == 0xff00
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(hosts: &[&str]) -> Net {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Net::new(&hosts.iter().map(|host| host.to_string()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn addresses_inside_are_refused_in_every_spelling() {
        let net = net(&[]);
        for inside in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://localhost:3000",
            "http://waha.localhost",
            "http://10.1.2.3",
            "http://192.168.0.1",
            "http://172.16.0.1",
            "http://169.254.169.254/latest",
            "http://0.0.0.0",
            "http://100.64.0.1",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
            "http://[fd00::1]",
            "http://[fe80::1]",
            "http://[64:ff9b::7f00:1]",
            "http://[2002:7f00:1::]",
            "http://255.255.255.255",
            "ftp://example.com",
            "http://",
            "not a url",
            "file:///etc/passwd",
        ] {
            assert!(net.check(inside).is_err(), "{inside}");
        }
        for outside in ["https://waha.example.com", "http://8.8.8.8:3000/x", "http://[2606:4700::1111]"] {
            assert_eq!(net.check(outside), Ok(()), "{outside}");
        }
    }

    #[test]
    fn the_operator_may_open_a_host_or_one_port_of_it() {
        let net = net(&["127.0.0.1:3000", "n8n", "waha:3000", "[::1]:5000"]);
        for open in
            ["http://127.0.0.1:3000/api", "http://n8n:5678", "http://n8n", "http://waha:3000", "http://[::1]:5000/"]
        {
            assert_eq!(net.check(open), Ok(()), "{open}");
        }
        for shut in
            ["http://127.0.0.1:3001", "http://127.0.0.1", "http://waha:80", "http://10.0.0.1:3000", "http://[::1]:5001"]
        {
            assert!(net.check(shut).is_err(), "{shut}");
        }
        assert!(Net::new(&["http://x".into()]).is_err() && Net::new(&["".into()]).is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_after_dns() {
        let name = || "localhost".parse::<Name>().unwrap();
        let shut = Guard { allowed: [].into() };
        assert!(shut.resolve(name()).await.is_err());
        let open = Guard { allowed: [Allowed { host: "localhost".into(), port: None }].into() };
        assert!(open.resolve(name()).await.unwrap().next().is_some());
    }
}
