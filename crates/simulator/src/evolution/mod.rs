//! Evolution API, as version 2.3.7 answers on the wire.
//!
//! Shapes come from captures of a real 2.3.7 server (tests/fixtures/evolution). It was not linked to WhatsApp: what needs a
//! link is taken from the source of 2.3.6 and from messages that went through the same steps, and marked "from source".

mod answer;
mod channel;
mod chats;
mod guard;
mod hook;
mod input;
mod instance;
mod instances;
mod link;
mod send;
mod send_parts;
mod shape;
mod shape_content;
mod store;
mod tell;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, delete, get, post},
};

use self::instance::Instance;
use crate::{gate::pass, sim::Sim};

/// Where it is mounted.
pub const MOUNT: &str = "/evolution";
/// Which Evolution this is.
pub const VERSION: &str = "2.3.7";
/// What it believes its own address to be. Wrong, as it often is.
const SERVER_URL: &str = "http://localhost:8080";

/// One Evolution server.
#[derive(Default)]
pub struct Gateway {
    state: Mutex<BTreeMap<String, Instance>>,
}

impl Gateway {
    /// All instances, locked. Taken after the world, never before.
    fn state(&self) -> MutexGuard<'_, BTreeMap<String, Instance>> {
        self.state.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Forgets all instances, without a word to anyone.
    pub(crate) fn clear(&self) {
        self.state().clear();
    }

    /// The token of an instance.
    fn token(&self, name: &str) -> Option<String> {
        self.state().get(name).map(|instance| instance.token.clone())
    }

    /// Whether some instance has this token.
    fn has_token(&self, token: &[u8]) -> bool {
        !token.is_empty() && self.state().values().any(|instance| instance.token.as_bytes() == token)
    }

    /// Does something with an instance.
    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Instance) -> T) -> Option<T> {
        self.state().get_mut(name).map(work)
    }
}

/// Every route of the API that is played; all else is answered as Express does.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    let routes = Router::new()
        .route("/", get(instances::root))
        .route("/verify-creds", post(instances::verify))
        .route("/instance/create", post(instances::create))
        .route("/instance/fetchInstances", get(instances::fetch))
        .route("/instance/connect/{instance}", get(instances::connect))
        .route("/instance/connectionState/{instance}", get(instances::connection_state))
        .route("/instance/restart/{instance}", post(instances::restart))
        .route("/instance/logout/{instance}", delete(instances::logout))
        .route("/instance/delete/{instance}", delete(instances::remove))
        .route("/webhook/set/{instance}", post(hook::set))
        .route("/webhook/find/{instance}", get(hook::find))
        .route("/webhook/evolution", post(channel::evolution))
        .route("/webhook/meta", get(channel::meta_asks).post(channel::meta))
        .route("/settings/set/{instance}", post(instances::set_settings))
        .route("/settings/find/{instance}", get(instances::find_settings))
        .route("/instance/setPresence/{instance}", post(instances::set_presence))
        .route("/message/sendText/{instance}", post(send::text))
        .route("/message/sendMedia/{instance}", post(send_parts::media))
        .route("/message/sendWhatsAppAudio/{instance}", post(send_parts::audio))
        .route("/message/sendSticker/{instance}", post(send_parts::sticker))
        .route("/message/sendPtv/{instance}", post(send_parts::ptv))
        .route("/message/sendLocation/{instance}", post(send_parts::location))
        .route("/message/sendContact/{instance}", post(send_parts::contact))
        .route("/message/sendReaction/{instance}", post(send_parts::reaction))
        .route("/message/sendPoll/{instance}", post(send_parts::poll))
        .route("/message/sendList/{instance}", post(send_parts::list))
        .route("/message/sendButtons/{instance}", post(send_parts::buttons))
        .route("/message/sendTemplate/{instance}", post(send_parts::template))
        .route("/chat/whatsappNumbers/{instance}", post(chats::numbers))
        .route("/chat/markMessageAsRead/{instance}", post(chats::read))
        .route("/chat/sendPresence/{instance}", post(chats::presence))
        .route("/chat/fetchProfilePictureUrl/{instance}", post(chats::picture))
        .route("/chat/fetchProfile/{instance}", post(chats::profile))
        .route("/chat/getBase64FromMediaMessage/{instance}", post(chats::file))
        .route("/chat/updateMessage/{instance}", post(chats::edit))
        .route("/chat/deleteMessageForEveryone/{instance}", delete(chats::revoke))
        .route("/chat/updateBlockStatus/{instance}", post(chats::block))
        .route("/chat/archiveChat/{instance}", post(chats::archive))
        .route("/chat/findMessages/{instance}", post(store::messages))
        .route("/chat/findChats/{instance}", post(store::chats))
        .route("/chat/findContacts/{instance}", post(store::contacts))
        .fallback(any(answer::no_route))
        .method_not_allowed_fallback(answer::no_route)
        .layer(DefaultBodyLimit::disable());
    routes.layer(middleware::from_fn_with_state(sim.clone(), pass::<guard::Evolution>)).with_state(sim)
}
