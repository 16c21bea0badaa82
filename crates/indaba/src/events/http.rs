//! The route of the live stream.
use super::socket;
use crate::{
    Error, Result,
    app::App,
    http::{extract::Query, origin, who::Viewer},
};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The number of the last event that was seen: the stream begins with the one after it. Without it, with what happens next.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// What happens, as it happens (a WebSocket).
///
/// The first frame is `{"kind":"hello","seq":…}`, the number of the newest event. Then events, in order and none left out but those
/// that the role may not see: `{"seq","kind","at","ids","patch"}`. A frame without `seq` tells something in passing. `{"kind":"reset","seq"}`
/// means that what came before cannot be had: fetch anew, and follow from there. A browser may say `{"kind":"read","conversation"}` and
/// `{"kind":"typing","conversation","on"}`. Close codes: 4401 signed out, 4429 too many streams of this user, or frames.
#[utoipa::path(get, path = "/api/live", tag = "live", params(From),
    responses((status = 101, description = "The stream begins"), (status = 403, body = crate::http::Problem, description = "Asked by another site's page")))]
async fn live(
    State(app): State<App>,
    who: Viewer,
    headers: HeaderMap,
    Query(from): Query<From>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    if origin::is_foreign(&app, &headers) {
        return Err(origin::foreign());
    }
    if from.after.is_some_and(|after| after < 0) {
        return Err(Error::field("after", "is the number of an event"));
    }
    let upgrade = upgrade.map_err(|_| Error::Malformed("Open this as a WebSocket.".into()))?;
    let upgrade = upgrade
        .read_buffer_size(4 << 10) // the default of 128 KiB is allocated for each socket
        .write_buffer_size(16 << 10) // grows to that in a burst
        .max_write_buffer_size(4 << 20)
        .max_message_size(16 << 10)
        .max_frame_size(16 << 10);
    Ok(upgrade.on_upgrade(move |socket| socket::serve(app, who.0, from.after, socket)))
}
