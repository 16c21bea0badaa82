//! Media: pictures, recordings and files that come and go with messages. The bytes lie in `blobs`, what we know of them here.
//!
//! Nothing that comes from outside is believed: the kind is what the first bytes say, the name is only shown, and only pictures,
//! recordings and films are ever shown inside a page.
pub mod http;
mod jobs;
mod look;
mod store;

pub use jobs::{FetchMedia, ForgetMedia, Source};
pub use look::{Look, MOST_PIXELS, file_name, is_inline, look, most_bytes};

use crate::{
    Error, Result,
    clock::Time,
    db::{TenantRead, TenantTx},
    instances::InstanceId,
};
use indaba_providers::MediaRef;
use serde::Serialize;

id! {
    /// One file.
    MediaId, "med"
}

words! {
    /// Whether the file is here.
    pub enum State as MediaState {
        /// Not yet: it is being fetched.
        Pending = "pending",
        /// It is.
        Ready = "ready",
        /// It could not be had; it can be tried again.
        Failed = "failed",
    }
}

words! {
    /// What a file is to WhatsApp.
    pub enum Kind as MediaKind {
        /// A picture.
        Image = "image",
        /// A film.
        Video = "video",
        /// A recording.
        Audio = "audio",
        /// Anything else.
        Document = "document",
    }
}

row! {
    /// A file as its row says.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Media {
        pub id: MediaId,
        pub instance_id: Option<InstanceId>,
        pub state: State,
        pub kind: Kind,
        pub mime: String,
        pub name: Option<String>,
        pub size_bytes: Option<i64>,
        pub width: Option<i64>,
        pub height: Option<i64>,
        pub duration_ms: Option<i64>,
        pub blob_key: Option<String>,
        pub source: Option<String>,
        pub error: Option<String>,
    }
}

/// A file as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Media)]
pub struct View {
    /// Its id.
    pub id: MediaId,
    /// What it is to WhatsApp.
    pub kind: Kind,
    /// Its type, by what is in it.
    pub mime: String,
    /// How long it is.
    #[schema(required)]
    pub size_bytes: Option<i64>,
    /// Pixels.
    #[schema(required)]
    pub width: Option<i64>,
    /// Pixels.
    #[schema(required)]
    pub height: Option<i64>,
    /// How long it plays.
    #[schema(required)]
    pub duration_ms: Option<i64>,
    /// What it was called.
    #[schema(required)]
    pub name: Option<String>,
    /// Whether it is here.
    pub state: State,
    /// Why it is not.
    #[schema(required)]
    pub error: Option<String>,
    /// Where it can be had.
    pub url: String,
}

impl Media {
    /// As the API shows it.
    pub fn view(&self) -> View {
        View {
            id: self.id,
            kind: self.kind,
            mime: self.mime.clone(),
            size_bytes: self.size_bytes,
            width: self.width,
            height: self.height,
            duration_ms: self.duration_ms,
            name: self.name.clone(),
            state: self.state,
            error: self.error.clone(),
            url: format!("/api/media/{}", self.id),
        }
    }
}

/// The file. Errors: `Missing`.
pub fn get(tx: &mut TenantRead, id: MediaId) -> Result<Media> {
    store::get(tx, id)
}

/// Many files.
pub fn all(tx: &mut TenantRead, ids: &[MediaId]) -> Result<Vec<Media>> {
    store::all(tx, ids)
}

/// Notes files that came with messages and are still at the gateway, each as the message declares it. The job [`FetchMedia`] brings them.
pub fn expect(tx: &mut TenantTx, files: &[(MediaId, &Source)]) -> Result<Vec<Media>> {
    let expected: Vec<Media> = files.iter().map(|(id, source)| expected(*id, source)).collect();
    store::insert(tx, &expected)?;
    Ok(expected)
}

/// Writes down a file whose bytes are stored already.
pub fn keep(tx: &mut TenantTx, file: &Media, sha256: &[u8]) -> Result<()> {
    let waiting = Media { state: State::Pending, ..file.clone() };
    store::insert(tx, std::slice::from_ref(&waiting))?;
    store::arrived(tx, file, sha256).map(drop)
}

fn expected(id: MediaId, source: &Source) -> Media {
    let told: &MediaRef = &source.media;
    let mime = told.mime.as_deref().map(look::declared).unwrap_or_else(|| "application/octet-stream".into());
    Media {
        id,
        instance_id: Some(source.instance),
        state: State::Pending,
        kind: look::kind_of(&mime),
        mime,
        name: told.name.as_deref().and_then(file_name),
        size_bytes: told.size_bytes.and_then(|n| i64::try_from(n).ok()),
        width: told.width.map(i64::from),
        height: told.height.map(i64::from),
        duration_ms: told.duration_ms.and_then(|n| i64::try_from(n).ok()),
        blob_key: None,
        source: Some(serde_json::to_string(source).expect("the vocabulary is plain JSON")),
        error: None,
    }
}

/// Errors: 409 unless the file is here.
pub fn ready(media: &Media) -> Result<()> {
    match media.state {
        State::Ready => Ok(()),
        State::Pending => {
            Err(Error::conflict("media-pending", "The file is still on its way", "Try again in a moment."))
        }
        State::Failed => Err(Error::conflict(
            "media-failed",
            "The file could not be fetched",
            media.error.clone().unwrap_or_else(|| "Try to fetch it again.".into()),
        )),
    }
}

/// When a file was made: ids know.
pub fn made(id: MediaId) -> Time {
    crate::search::time_of(id.0)
}
