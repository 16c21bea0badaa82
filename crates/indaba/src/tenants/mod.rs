//! Tenants: the customer organisations. A tenant owns every row that has its `tenant_id`.
mod http;
mod places;
mod store;

pub use http::{TenantView, is_country, is_locale, routes};
pub use places::{check_time_zone, time_zone_of};
pub use store::{Tenant, create, every, get, lock, update};

/// What a new tenant is told about.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// What it is called.
    pub name: String,
    /// Where its days begin: `Africa/Johannesburg`.
    pub time_zone: String,
    /// How it writes: `en-ZA`.
    pub locale: String,
    /// Two letters, upper case.
    pub country: Option<String>,
}

/// A short name for addresses, made of the letters and digits of `name`: `Kusasa Homes` → `kusasa-homes`.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
        if out.len() >= 40 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "workspace".into() } else { out.into() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_slug_is_plain() {
        assert_eq!(super::slug("  Kusasa Homes (Pty) Ltd. "), "kusasa-homes-pty-ltd");
        assert_eq!(super::slug("Überbau"), "berbau");
        assert_eq!(super::slug("北京"), "workspace");
        assert!(super::slug(&"x".repeat(500)).len() <= 40);
    }
}
