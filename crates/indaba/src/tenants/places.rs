//! Where a tenant is: its country suggests the time zone of its largest city.

#[rustfmt::skip]
const ZONES: &[(&str, &str)] = &[
    ("AE", "Asia/Dubai"), ("AO", "Africa/Luanda"), ("AR", "America/Argentina/Buenos_Aires"), ("AT", "Europe/Vienna"),
    ("AU", "Australia/Sydney"), ("BD", "Asia/Dhaka"), ("BE", "Europe/Brussels"), ("BR", "America/Sao_Paulo"),
    ("BW", "Africa/Gaborone"), ("CA", "America/Toronto"), ("CD", "Africa/Kinshasa"), ("CH", "Europe/Zurich"),
    ("CI", "Africa/Abidjan"), ("CL", "America/Santiago"), ("CM", "Africa/Douala"), ("CO", "America/Bogota"),
    ("DE", "Europe/Berlin"), ("DK", "Europe/Copenhagen"), ("EG", "Africa/Cairo"), ("ES", "Europe/Madrid"),
    ("ET", "Africa/Addis_Ababa"), ("FI", "Europe/Helsinki"), ("FR", "Europe/Paris"), ("GB", "Europe/London"),
    ("GH", "Africa/Accra"), ("GR", "Europe/Athens"), ("HK", "Asia/Hong_Kong"), ("ID", "Asia/Jakarta"),
    ("IE", "Europe/Dublin"), ("IL", "Asia/Jerusalem"), ("IN", "Asia/Kolkata"), ("IT", "Europe/Rome"),
    ("JP", "Asia/Tokyo"), ("KE", "Africa/Nairobi"), ("LS", "Africa/Maseru"), ("MA", "Africa/Casablanca"),
    ("MU", "Indian/Mauritius"), ("MW", "Africa/Blantyre"), ("MX", "America/Mexico_City"), ("MY", "Asia/Kuala_Lumpur"),
    ("MZ", "Africa/Maputo"), ("NA", "Africa/Windhoek"), ("NG", "Africa/Lagos"), ("NL", "Europe/Amsterdam"),
    ("NO", "Europe/Oslo"), ("NZ", "Pacific/Auckland"), ("PE", "America/Lima"), ("PH", "Asia/Manila"),
    ("PK", "Asia/Karachi"), ("PL", "Europe/Warsaw"), ("PT", "Europe/Lisbon"), ("RO", "Europe/Bucharest"),
    ("RW", "Africa/Kigali"), ("SA", "Asia/Riyadh"), ("SE", "Europe/Stockholm"), ("SG", "Asia/Singapore"),
    ("SN", "Africa/Dakar"), ("SZ", "Africa/Mbabane"), ("TH", "Asia/Bangkok"), ("TR", "Europe/Istanbul"),
    ("TZ", "Africa/Dar_es_Salaam"), ("UA", "Europe/Kyiv"), ("UG", "Africa/Kampala"), ("US", "America/New_York"),
    ("VN", "Asia/Ho_Chi_Minh"), ("ZA", "Africa/Johannesburg"), ("ZM", "Africa/Lusaka"), ("ZW", "Africa/Harare"),
];

/// The time zone of a country's largest city; UTC where we do not know it.
pub fn time_zone_of(country: Option<&str>) -> &'static str {
    let known = country.and_then(|country| ZONES.iter().find(|(code, _)| *code == country));
    known.map_or("UTC", |(_, zone)| zone)
}

/// Whether the machine knows this time zone. Without a time zone database it is taken at its word if it looks like one.
pub fn check_time_zone(name: &str) -> bool {
    let db = jiff::tz::db();
    match db.is_definitively_empty() {
        false => db.get(name).is_ok(),
        true => {
            let fits = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
            (1..=64).contains(&name.len()) && name.chars().all(fits) && (name == "UTC" || name.contains('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_of_the_list_has_a_zone_that_exists() {
        for (country, zone) in ZONES {
            assert!(check_time_zone(zone), "{country} {zone}");
        }
        assert!(ZONES.is_sorted() && !check_time_zone("Africa/Atlantis") && !check_time_zone(""));
        assert_eq!(
            (time_zone_of(Some("ZA")), time_zone_of(Some("XX")), time_zone_of(None)),
            ("Africa/Johannesburg", "UTC", "UTC")
        );
    }
}
