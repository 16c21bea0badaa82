//! Link previews: when a text with a link has come or gone, a job asks the page for its title, description and picture, and the message shows
//! them. Off until a workspace switches it on: a stranger's link makes this server ask another stranger's (docs/decisions/0012).
mod fetch;
mod head;

use super::{Message, MessageId, store};
use crate::{
    Error, Result,
    db::TenantTx,
    events::{self, Event},
    jobs::{self, Job, JobCx, JobError, Priority},
    media, tenants,
};
use fetch::Found;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// Longer ones are not followed.
const LONGEST_LINK: usize = 2_000;

/// As much of an event's patch as tells whether there is a link in it.
#[derive(Deserialize)]
struct Heard {
    message: HeardMessage,
}

#[derive(Deserialize)]
struct HeardMessage {
    id: MessageId,
    body: Option<String>,
    #[serde(default)]
    content: Value,
    /// Only new messages tell it.
    kind: Option<String>,
}

/// What follows a message that came, was queued, or has other words now.
pub fn follow(tx: &mut TenantTx, event: &Event) -> Result<()> {
    // most messages have none, and this is on the way of every one
    if !event.patch().contains("http") && !event.patch().contains("www.") {
        return Ok(());
    }
    let Ok(Heard { message }) = serde_json::from_str::<Heard>(event.patch()) else { return Ok(()) };
    let text = message.kind.as_deref().is_none_or(|kind| kind == "text");
    if !text || !tenants::get(tx)?.link_previews {
        return Ok(());
    }
    if link(message.body.as_deref().unwrap_or_default()).is_some() || message.content["preview"].is_object() {
        jobs::enqueue(tx, &PreviewLink { message: message.id })?;
    }
    Ok(())
}

/// The first link of a text, if it has one. Strangers write the text, and a transaction waits for the answer: each byte is looked at a few
/// times at most, and a word longer than [`LONGEST_LINK`] is none, whatever it ends in.
fn link(text: &str) -> Option<Url> {
    text.split_whitespace().find_map(|word| {
        let word = word.trim_start_matches(['(', '[', '{', '<', '"', '\'', '«', '„', '“', '*', '_', '~']);
        let start = word.get(..8).unwrap_or(word).to_ascii_lowercase();
        let bare = start.starts_with("www.");
        if !bare && !start.starts_with("http://") && !start.starts_with("https://") {
            return None;
        }
        let end = ['.', ',', ';', ':', '!', '?', '"', '\'', '»', '“', '”', '>', ']', '}', '*', '~', '…'];
        let mut word = word.trim_end_matches(end);
        if word.len() > LONGEST_LINK {
            return None;
        }
        // a bracket belongs to the link only if it was opened there
        let mut unopened = word.matches(')').count().saturating_sub(word.matches('(').count());
        while unopened > 0 && word.ends_with(')') {
            word = word[..word.len() - 1].trim_end_matches(end);
            unopened -= 1;
        }
        let url: Url = if bare { format!("https://{word}").parse() } else { word.parse() }.ok()?;
        url.host_str().is_some_and(|host| host.contains('.') || host.contains(':')).then_some(url)
    })
}

/// What a message shows of the page it links to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preview {
    url: String,
    site: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<Picture>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Picture {
    id: media::MediaId,
    width: i64,
    height: i64,
}

/// Asks the page that a message links to, once. A page that does not answer, or has nothing to say, is shown as the link alone.
#[derive(Serialize, Deserialize)]
pub struct PreviewLink {
    /// Which message.
    pub message: MessageId,
}

impl Job for PreviewLink {
    const KIND: &'static str = "message.preview";
    const ATTEMPTS: u32 = 2;
    const PRIORITY: Priority = Priority::Campaign; // nobody waits for it, and a slow page is slow
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn lane(&self) -> Option<String> {
        Some(format!("preview:{}", self.message))
    }

    fn unique(&self) -> Option<String> {
        Some(self.message.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.message;
        let found = cx.read(move |tx| Ok((store::get(tx, id)?, tenants::get(tx)?.link_previews)));
        let (message, on) = match found.await {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        if !on || !cx.app.config.links.previews || !shows(&message) {
            return Ok(());
        }
        let url = link(message.body.as_deref().unwrap_or_default());
        let known = content(&message);
        let shown = known["preview"]["url"].as_str();
        if shown == url.as_ref().map(Url::as_str) {
            return Ok(());
        }
        let found = match &url {
            Some(url) => {
                let Some(_turn) = fetch::turn() else { return Err(JobError::Snooze(Duration::from_secs(2))) };
                fetch::look(&cx.app, cx.tenant, url).await
            }
            None => None,
        };
        let stored = found.as_ref().and_then(|found| found.picture.as_ref()).map(|(file, _)| file.blob_key.clone());
        let kept = cx.write(move |tx| keep(tx, id, url.as_ref(), found.as_ref())).await;
        if orphaned(&kept)
            && let Some(Some(key)) = stored
            && let Ok(key) = crate::blobs::BlobKey::of(cx.tenant, &key)
        {
            let _ = cx.app.blobs.delete(&key).await; // nothing points at it
        }
        kept?;
        Ok(())
    }
}

/// Whether nothing points at the picture. A database that closed on us may have kept the row all the same: a file without a row costs some
/// bytes, a row without its file is a broken picture.
fn orphaned(kept: &Result<bool>) -> bool {
    match kept {
        Ok(kept) => !kept,
        Err(e) => !matches!(e, Error::Closed),
    }
}

/// Whether it has a preview at all: a caption has its photo, and edits do not tell the kind.
fn shows(message: &Message) -> bool {
    message.kind == "text" && message.deleted_at.is_none()
}

fn content(message: &Message) -> Value {
    let kept = message.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
    kept.unwrap_or_else(|| json!({ "kind": message.kind }))
}

/// What a message says is about to go: so does the picture of its preview.
pub(super) fn forget(tx: &mut TenantTx, message: &Message) -> Result<()> {
    let of = content(message)["preview"]["picture"]["id"].as_str().and_then(|id| id.parse().ok());
    match of.filter(|_| shows(message)) {
        Some(media) => jobs::enqueue(tx, &media::ForgetMedia { media }),
        None => Ok(()),
    }
}

/// Writes down what was found, and tells of it. False: the message has other words meanwhile, or is gone; another job is about those.
fn keep(tx: &mut TenantTx, id: MessageId, url: Option<&Url>, found: Option<&Found>) -> Result<bool> {
    let mut message = match store::locked(tx, id) {
        Err(Error::Missing) => return Ok(false),
        other => other?,
    };
    let mut content = content(&message);
    let same = link(message.body.as_deref().unwrap_or_default()).as_ref() == url;
    if !shows(&message) || !same || (found.is_none() && content.get("preview").is_none()) {
        return Ok(false);
    }
    forget(tx, &message)?;
    let fields = content.as_object_mut().expect("what a message says is an object");
    fields.remove("preview");
    if let (Some(found), Some(url)) = (found, url) {
        let picture = match &found.picture {
            Some((file, sha256)) => {
                media::keep(tx, file, sha256)?;
                Some(Picture { id: file.id, width: file.width.unwrap_or(0), height: file.height.unwrap_or(0) })
            }
            None => None,
        };
        let preview = Preview {
            url: url.to_string(),
            site: found.site.clone(),
            title: found.title.clone(),
            description: found.description.clone(),
            picture,
        };
        fields.insert("preview".into(), json!(preview));
    }
    message.content = Some(content.to_string());
    store::set_content(tx, &message)?;
    let patch = json!({ "message": { "id": id, "conversationId": message.conversation_id, "content": content } });
    events::append(tx, "message.previewed", &message.ids(), &patch)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_link_of_a_text_is_found() {
        for (text, found) in [
            ("See https://kusasa.example/flat?id=7, it is free.", Some("https://kusasa.example/flat?id=7")),
            ("(https://kusasa.example/a_(b))", Some("https://kusasa.example/a_(b)")),
            ("*HTTP://Kusasa.example*!", Some("http://kusasa.example/")),
            ("www.kusasa.example", Some("https://www.kusasa.example/")),
            ("«https://kusasa.example/é»", Some("https://kusasa.example/%C3%A9")),
            ("http://127.0.0.1:3000/x", Some("http://127.0.0.1:3000/x")),
            ("http://[::1]/", Some("http://[::1]/")),
            ("no link, http:// none, https://localhost/x none", None),
            ("ftp://kusasa.example javascript:alert(1) kusasa.example", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(link(text).map(String::from).as_deref(), found, "{text}");
        }
        assert_eq!(link(&format!("https://kusasa.example/{}", "x".repeat(3_000))), None);
    }

    #[test]
    fn a_word_too_long_for_a_link_is_not_worked_on() {
        let page = "https://kusasa.example/";
        for tail in [")", ".)", "()"] {
            let long = format!("{page}{}", tail.repeat(65_529 / tail.len()));
            assert_eq!(link(&long), None, "{tail}");
            assert_eq!(link(&format!("{long} {page}")).map(String::from).as_deref(), Some(page), "the next word is");
        }
        assert_eq!(link(&format!("{page}{}", ").".repeat(900))).map(String::from).as_deref(), Some(page));
        assert_eq!(link(&format!("{page}a_(b){}", ")".repeat(900))).unwrap().path(), "/a_(b)");
        assert_eq!(link(&format!("http://{}", ")".repeat(65_529))), None);
    }

    #[test]
    fn a_picture_stays_when_its_row_may_have_been_kept() {
        assert!(!orphaned(&Ok(true)) && !orphaned(&Err(Error::Closed)));
        assert!(orphaned(&Ok(false)) && orphaned(&Err(Error::Busy)) && orphaned(&Err(Error::Missing)));
    }
}
