//! People and phones as Meta names them: business-scoped ids, countries, and the number that WhatsApp knows somebody by.

use sha2::{Digest as _, Sha256};

use crate::world::{Person, Shown};

/// The business-scoped id of a person: a country, and digits that nothing can be read from.
pub fn bsuid(business: &str, person: &Person) -> String {
    if let Some(own) = &person.bsuid {
        return own.clone();
    }
    let mut hash = Sha256::new();
    hash.update(business.as_bytes());
    hash.update(b"/");
    hash.update(person.phone.as_bytes());
    let number = u64::from_be_bytes(hash.finalize()[..8].try_into().expect("a SHA-256 has 32 bytes"));
    format!("{}.{:017}", country(&person.phone).0, number % 100_000_000_000_000_000)
}

/// The phone, if the business may see it.
pub fn shown_phone(person: &Person) -> Option<&str> {
    (person.shown != Shown::LidOnly).then_some(person.phone.as_str())
}

/// Country and dialling code of a phone; the United States for what is not listed.
pub fn country(phone: &str) -> (&'static str, &'static str) {
    const CODES: &[(&str, &str)] = &[
        ("20", "EG"),
        ("27", "ZA"),
        ("31", "NL"),
        ("32", "BE"),
        ("33", "FR"),
        ("34", "ES"),
        ("39", "IT"),
        ("41", "CH"),
        ("43", "AT"),
        ("44", "GB"),
        ("49", "DE"),
        ("52", "MX"),
        ("54", "AR"),
        ("55", "BR"),
        ("57", "CO"),
        ("60", "MY"),
        ("61", "AU"),
        ("62", "ID"),
        ("63", "PH"),
        ("65", "SG"),
        ("81", "JP"),
        ("82", "KR"),
        ("86", "CN"),
        ("90", "TR"),
        ("91", "IN"),
        ("92", "PK"),
        ("212", "MA"),
        ("221", "SN"),
        ("225", "CI"),
        ("233", "GH"),
        ("234", "NG"),
        ("237", "CM"),
        ("243", "CD"),
        ("244", "AO"),
        ("250", "RW"),
        ("251", "ET"),
        ("254", "KE"),
        ("255", "TZ"),
        ("256", "UG"),
        ("258", "MZ"),
        ("260", "ZM"),
        ("263", "ZW"),
        ("264", "NA"),
        ("265", "MW"),
        ("266", "LS"),
        ("267", "BW"),
        ("351", "PT"),
        ("353", "IE"),
        ("966", "SA"),
        ("971", "AE"),
        ("972", "IL"),
    ];
    let found = CODES.iter().find(|(code, _)| phone.starts_with(code));
    found.map_or(("US", "1"), |(code, country)| (country, code))
}

/// `+27 82 000 1000`.
pub fn display(phone: &str) -> String {
    let (_, code) = country(phone);
    let rest = phone.strip_prefix(code).unwrap_or(phone);
    let cut = rest.len().min(2);
    let (area, rest) = rest.split_at(cut);
    let (middle, last) = rest.split_at(rest.len().min(3));
    let spoken: Vec<&str> = [area, middle, last].into_iter().filter(|part| !part.is_empty()).collect();
    format!("+{code} {}", spoken.join(" "))
}

/// The number that WhatsApp knows a person by, where it is not the one that is dialled: Brazil, Mexico, Argentina.
pub fn canonical(digits: &str) -> String {
    match (digits.len(), digits) {
        // outside the south-east mobile numbers have lost their ninth digit on WhatsApp
        (13, number) if number.starts_with("55") && &number[4..5] == "9" && &number[2..4] > "30" => {
            format!("{}{}", &number[..4], &number[5..])
        }
        (12, number) if number.starts_with("52") => format!("521{}", &number[2..]),
        (12, number) if number.starts_with("54") => format!("549{}", &number[2..]),
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{canonical, country, display};

    #[test]
    fn numbers_are_shown_and_known_as_whatsapp_does() {
        assert_eq!(display("27820001000"), "+27 82 000 1000");
        assert_eq!(display("15550783881"), "+1 55 507 83881");
        assert_eq!((country("254700000000"), country("15550783881")), (("KE", "254"), ("US", "1")));
        for (dialled, known) in [
            ("5551999990000", "555199990000"),
            ("5511999990000", "5511999990000"),
            ("525512345678", "5215512345678"),
            ("541123456789", "5491123456789"),
            ("27820001001", "27820001001"),
        ] {
            assert_eq!(canonical(dialled), known);
        }
    }
}
