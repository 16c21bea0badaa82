//! Ids: sixteen bytes in the database, a TypeID (`msg_01h455vb4pex5vsknk084sn02q`) everywhere else, each kind with a Rust type of its own.
//!
//! The bytes are a UUIDv7, so ids sort by the time they were made. Text form: TypeID 0.3, <https://github.com/jetify-com/typeid>.
use crate::clock::Time;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sixteen bytes of a new UUIDv7 for the moment `at`. Ids of one millisecond from one process sort in the order they were made:
/// the 22 bits after the version count up, the other 52 are random.
pub fn mint(at: Time) -> [u8; 16] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let (high, low) = ((count >> 10) & 0xfff, count & 0x3ff);
    let ms = u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff;
    let random = rand::random::<u64>() & 0x000f_ffff_ffff_ffff;
    let bits = (u128::from(ms) << 80)
        | (0x7 << 76)
        | (u128::from(high) << 64)
        | (0b10 << 62)
        | (u128::from(low) << 52)
        | u128::from(random);
    bits.to_be_bytes()
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What each letter of the alphabet stands for; 255 for those that are not in it.
const DIGITS: [u8; 256] = {
    let (mut digits, mut i) = ([255; 256], 0);
    while i < 32 {
        digits[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    digits
};

/// Crockford's base 32, lower case, 26 characters, the first of them at most `7`.
pub fn encode(id: &[u8; 16]) -> String {
    let mut bits = u128::from_be_bytes(*id);
    let mut text = [0; 26];
    for letter in text.iter_mut().rev() {
        *letter = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    str::from_utf8(&text).expect("the alphabet is ASCII").to_owned()
}

/// The reverse of [`encode`]; `None` for anything it would not have written.
pub fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 26 || text.as_bytes()[0] > b'7' {
        return None;
    }
    let mut bits = 0u128;
    for byte in text.bytes() {
        let digit = DIGITS[usize::from(byte)];
        if digit > 31 {
            return None;
        }
        bits = (bits << 5) | u128::from(digit);
    }
    Some(bits.to_be_bytes())
}

/// An id in any of its forms (TypeID, UUID, 32 hex digits) as all of them: what `indaba id` prints.
pub fn describe(text: &str) -> Option<String> {
    let (prefix, bytes) = match text.rsplit_once('_') {
        Some((prefix, suffix)) => (Some(prefix), decode(suffix)?),
        None => (None, decode(text).or_else(|| uuid::Uuid::parse_str(text).ok().map(uuid::Uuid::into_bytes))?),
    };
    let uuid = uuid::Uuid::from_bytes(bytes);
    let at = Time(i64::try_from(u128::from_be_bytes(bytes) >> 80).ok()?);
    let typed = match prefix {
        Some(prefix) => format!("{prefix}_{}", encode(&bytes)),
        None => encode(&bytes),
    };
    Some(format!("typeid  {typed}\nuuid    {uuid}\nhex     {}\nmade    {at}", uuid.simple()))
}

/// A kind of id: its Rust type and its prefix.
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; 16]);

        #[allow(dead_code, reason = "a private kind may not need them all")]
        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;
            /// Before every other id.
            pub const NIL: Self = Self([0; 16]);
            /// After every other id: the start of a page that reads backwards.
            pub const MAX: Self = Self([255; 16]);
            /// A new id that sorts at the moment `at`.
            pub fn at(at: $crate::clock::Time) -> Self {
                Self($crate::id::mint(at))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), $crate::id::encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::NotAnId;
            fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
                let rest = text.strip_prefix(concat!($prefix, "_")).ok_or($crate::id::NotAnId($prefix))?;
                $crate::id::decode(rest).map(Self).ok_or($crate::id::NotAnId($prefix))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $crate::db::Arg for $name {
            fn arg(&self) -> $crate::db::Value<'_> {
                $crate::db::Value::Bytes(&self.0)
            }
        }

        impl $crate::db::Column for $name {
            fn column(value: $crate::db::Value<'_>) -> $crate::Result<Self> {
                match value {
                    $crate::db::Value::Bytes(bytes) if bytes.len() == 16 => Ok(Self(bytes.try_into().expect("sixteen bytes"))),
                    other => Err($crate::Error::column(stringify!($name), other)),
                }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// A text that is not an id of the kind with this prefix.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is not an id that begins with `{0}_`")]
pub struct NotAnId(pub &'static str);

id! {
    /// A customer organisation; every row that has a `tenant_id` is its own.
    TenantId, "ten"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_every_form() {
        let id = TenantId::at(Time(1_795_150_000_000));
        assert_eq!(id.to_string().parse::<TenantId>().unwrap(), id);
        let uuid = uuid::Uuid::from_bytes(id.0);
        assert_eq!(uuid.get_version_num(), 7);
        for form in [id.to_string(), uuid.to_string(), uuid.simple().to_string()] {
            let all = describe(&form).unwrap();
            assert!(all.contains(&uuid.to_string()) && all.contains("2026-11-20T"), "{all}");
        }
        // TypeID's own vector: the specification's example and the largest id there is
        assert_eq!(decode("7zzzzzzzzzzzzzzzzzzzzzzzzz"), Some([255; 16]));
        for bad in [
            "ten_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "ten_short",
            "usr_01h455vb4pex5vsknk084sn02q",
            "",
            "ten_",
            "ten_01H455VB4PEX5VSKNK084SN02Q",
        ] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_of_one_moment_sort_in_the_order_they_were_made() {
        let ids: Vec<_> = (0..100).map(|_| TenantId::at(Time(5))).collect();
        let turned = ids.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!(turned <= 1, "only the counter's wrap may turn a pair round: {turned}");
        assert!(TenantId::at(Time(6)) > ids[50]);
    }
}
