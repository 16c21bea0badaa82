//! Bringing files over from the gateway, at once: it keeps them for minutes.
use super::{Media, MediaId, State, get, look, store};
use crate::{
    Error,
    blobs::BlobKey,
    db::TenantTx,
    events,
    instances::{self, InstanceId},
    jobs::{Job, JobCx, JobError, Priority},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use indaba_providers::{Address, CallError, MediaRef, MediaSource, MessageRef};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Where a file is until it is here: what its message said of it, and the message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// On this number.
    pub instance: InstanceId,
    /// The file, as the message names it.
    pub media: MediaRef,
    /// The message's provider id.
    pub provider_id: String,
    /// The message, as the gateway's calls name it.
    pub reference: String,
    /// Its conversation at the provider.
    pub chat: Address,
    /// Our own number sent it.
    pub from_me: bool,
    /// Our message and conversation, for the event that tells when the file is here.
    pub message: String,
    /// See there.
    pub conversation: String,
}

/// Fetches one file. It is tried for a few minutes; then it is `failed`, and a person may ask again.
#[derive(Serialize, Deserialize)]
pub struct FetchMedia {
    /// Which.
    pub media: MediaId,
}

impl Job for FetchMedia {
    const KIND: &'static str = "media.fetch";
    const ATTEMPTS: u32 = 6;
    const TIMEOUT: Duration = Duration::from_secs(600);

    fn unique(&self) -> Option<String> {
        Some(self.media.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.media;
        let media = match cx.read(move |tx| get(tx, id)).await {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        let source = media.source.as_deref().and_then(|source| serde_json::from_str::<Source>(source).ok());
        let Some(source) = source.filter(|_| media.state != State::Ready) else { return Ok(()) };
        match fetch(cx, &media, &source).await {
            Ok((arrived, sha256)) => {
                cx.write(move |tx| {
                    if store::arrived(tx, &arrived, &sha256)? {
                        tell(tx, "media.ready", id, &source)?;
                    }
                    Ok(())
                })
                .await?;
                Ok(())
            }
            Err((why, forever)) if forever || cx.last => {
                let told = why.clone();
                cx.write(move |tx| {
                    if store::set_state(tx, id, State::Failed, Some(&told))? {
                        tell(tx, "media.failed", id, &source)?;
                    }
                    Ok(())
                })
                .await?;
                Ok(()) // a file that cannot be had is shown in its place; the job is no defect
            }
            Err((why, _)) => Err(JobError::Retry(why)),
        }
    }
}

/// Removes a file that was shown and is not any more: its row, then its bytes. One that somebody sends or keeps on stays.
#[derive(Serialize, Deserialize)]
pub struct ForgetMedia {
    /// Which.
    pub media: MediaId,
}

impl Job for ForgetMedia {
    const KIND: &'static str = "media.forget";
    const PRIORITY: Priority = Priority::Campaign;

    fn unique(&self) -> Option<String> {
        Some(self.media.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.media;
        match cx.write(move |tx| store::forget(tx, id)).await {
            Err(Error::ForeignKey(_)) => return Ok(()),
            other => other?,
        }
        // its place is known without the row: who is cut off here begins again
        cx.app.blobs.delete(&BlobKey::new(cx.tenant, super::made(id), id)).await?;
        Ok(())
    }
}

/// What to show of a file that has come, or not.
fn tell(tx: &mut TenantTx, event: &'static str, id: MediaId, source: &Source) -> crate::Result<()> {
    let media = get(tx, id)?.view();
    let ids: [(&'static str, &dyn std::fmt::Display); 3] =
        [("media", &id), ("message", &source.message), ("conversation", &source.conversation)];
    let patch = json!({ "message": { "id": source.message, "conversationId": source.conversation, "media": media } });
    events::append(tx, event, &ids, &patch)
}

/// The file as it was found to be, and its hash; or a sentence for a person and whether trying again is of no use.
async fn fetch(cx: &JobCx, media: &Media, source: &Source) -> Result<(Media, Vec<u8>), (String, bool)> {
    let retry = |e: Error| (format!("It could not be stored: {e}"), false);
    let reach = instances::link::reach(&cx.app, cx.tenant, source.instance).await.map_err(|e| match e {
        Error::Missing => ("The number it came to was removed.".to_owned(), true),
        e => (e.to_string(), false),
    })?;
    let wanted = MediaSource {
        media: source.media.clone(),
        message: MessageRef {
            provider_id: source.provider_id.clone(),
            reference: source.reference.clone(),
            chat: source.chat.clone(),
            from_me: source.from_me,
        },
    };
    let most = cx.app.config.limits.media_bytes as u64;
    let download = reach.provider.download(&reach.link, &wanted, most).await.map_err(told)?;
    let declared = source.media.mime.clone().or(download.mime);
    let mut body = download.body;
    // the first bytes say what it is and how much of it we take
    let mut head = Vec::new();
    let mut first: Vec<Bytes> = Vec::new();
    while head.len() < 8192 {
        let Some(piece) = body.next().await else { break };
        let piece = piece.map_err(told)?;
        head.extend_from_slice(&piece[..piece.len().min(8192)]);
        first.push(piece);
    }
    if first.iter().all(Bytes::is_empty) {
        return Err(("The gateway gave an empty file.".into(), false));
    }
    let seen = look::look(&head, declared.as_deref());
    let most = most.min(look::most_bytes(seen.kind));
    let key = BlobKey::new(cx.tenant, super::made(media.id), media.id);
    let cut = std::sync::Mutex::new(None);
    let rest = body.map(|piece| {
        piece.map_err(|e| {
            *cut.lock().expect("no panic under this lock") = Some(told(e));
            Error::Unavailable("the gateway".into())
        })
    });
    let bits = stream::iter(first.into_iter().map(Ok)).chain(rest);
    let written = cx.app.blobs.write(&key, most, bits).await;
    if let Some(why) = cut.into_inner().expect("no panic under this lock") {
        return Err(why);
    }
    let written = match written {
        Err(Error::TooLarge(why)) => return Err((why, true)),
        other => other.map_err(retry)?,
    };
    let mut arrived = Media {
        kind: seen.kind,
        mime: seen.mime,
        size_bytes: i64::try_from(written.size).ok(),
        blob_key: Some(key.as_str().to_owned()),
        ..media.clone()
    };
    if seen.kind == super::Kind::Image {
        let (bytes, mime) = (cx.app.blobs.bytes(&key).await.map_err(retry)?, arrived.mime.clone());
        let size = tokio::task::spawn_blocking(move || look::measure(&bytes, &mime, false)).await;
        if let Ok(Ok((width, height))) = size {
            (arrived.width, arrived.height) = (Some(width), Some(height));
        }
    }
    Ok((arrived, written.sha256.to_vec()))
}

fn told(e: CallError) -> (String, bool) {
    let forever = matches!(e, CallError::NotFound(_) | CallError::NotSupported(_) | CallError::TooOld(_));
    let sentence = match &e {
        CallError::NotFound(_) => "The gateway does not have this file any more.".into(),
        CallError::TooOld(version) => {
            format!("The gateway is too old to hand out files: {version} or later is needed.")
        }
        CallError::Unreachable(_) | CallError::Cut(_) => "The gateway did not answer.".into(),
        e => format!("The gateway did not give it: {e}."),
    };
    (sentence, forever)
}
