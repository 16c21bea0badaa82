//! Columns that hold one of a few words.

/// An enum whose values are words in the database, in JSON and in the OpenAPI document: the same ones everywhere.
///
/// `pub enum State as InstanceState` names it so in the OpenAPI document, where all rooms share one list of names.
///
/// ```text
/// words! {
///     /// Which way a message went.
///     pub enum Direction {
///         /// From the contact to us.
///         Inbound = "inbound",
///         /// From us to the contact.
///         Outbound = "outbound",
///     }
/// }
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($rest:tt)* }) => {
        $crate::words! { $(#[$meta])* pub enum $name as $name { $($rest)* } }
    };
    ($(#[$meta:meta])* pub enum $name:ident as $shown:ident { $($(#[$doc:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $word),+
        }

        impl $name {
            /// Every word, in the order of the list.
            #[allow(dead_code, reason = "not every kind is listed anywhere")]
            pub const ALL: &'static [$name] = &[$($name::$word),+];

            /// As it is written in the database and in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$word => $text),+ }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some([$($text),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($shown).into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> std::result::Result<Self, String> {
                match text {
                    $($text => Ok($name::$word),)+
                    _ => Err(format!("one of {}", [$($text),+].join(", "))),
                }
            }
        }

        impl $crate::db::Arg for $name {
            fn arg(&self) -> $crate::db::Value<'_> {
                $crate::db::Value::Text(self.as_str())
            }
        }

        impl $crate::db::Column for $name {
            fn column(value: $crate::db::Value<'_>) -> $crate::Result<Self> {
                match value {
                    $crate::db::Value::Text(text) => text.parse().map_err(|want: String| $crate::Error::column(&want, value)),
                    other => Err($crate::Error::column(stringify!($name), other)),
                }
            }
        }
    };
}
