//! Where a request comes from: the address at the other end, or what a trusted proxy says of it.
use crate::app::App;
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// The other end.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address.
    pub ip: IpAddr,
    /// What it calls itself, at most 200 characters of it.
    pub user_agent: String,
    /// Whether it spoke TLS, to us or to a trusted proxy.
    pub tls: bool,
}

impl FromRequestParts<App> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Client, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let trusted = |ip: IpAddr| app.config.trusted_proxies.iter().any(|net| net.contains(ip));
        let said = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let proto = said("x-forwarded-proto").filter(|_| trusted(peer));
        let agent = parts.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Ok(Client {
            ip: origin(peer, &parts.headers, trusted),
            user_agent: agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect(),
            tls: app.config.public_url().starts_with("https://") || proto == Some("https"),
        })
    }
}

/// The last address in the chain that no trusted proxy has: what stands before it anybody may have written.
fn origin(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
    let chain: Vec<IpAddr> =
        lines.flat_map(|line| line.split(',')).filter_map(|text| text.trim().parse().ok()).collect();
    let mut at = peer;
    for ip in chain.into_iter().rev() {
        if !trusted(at) {
            break;
        }
        at = ip.to_canonical();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_trusted_proxy_says_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.9".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.2".parse().unwrap());
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let proxies = |ip: IpAddr| ip.to_string().starts_with("10.");
        assert_eq!(origin(ip("10.0.0.1"), &headers, proxies), ip("203.0.113.9"));
        assert_eq!(origin(ip("198.51.100.7"), &headers, proxies), ip("198.51.100.7"), "it is no proxy of ours");
        assert_eq!(origin(ip("10.0.0.1"), &HeaderMap::new(), proxies), ip("10.0.0.1"));
    }
}
