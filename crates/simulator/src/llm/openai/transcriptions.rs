//! `POST /v1/audio/transcriptions`: a form with a file.

use axum::{
    RequestExt as _,
    extract::{Multipart, Request, State},
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{GONE, OpenAi, door, retired, wrong};
use crate::llm::{Models, Play, Vendor as _, Wrong, finish};

/// Takes the file and says how large it was.
pub async fn transcriptions(State(models): State<Models>, request: Request) -> Response {
    let number = models.number();
    let (head, body) = request.into_parts();
    let again = Request::from_parts(head.clone(), body);
    let (fields, got) = match again.extract::<Multipart, _>().await {
        Ok(form) => fields(form).await,
        Err(_) => (Map::new(), Err(wrong(400, "Expected multipart/form-data"))),
    };
    let got = door(&head).and(got);
    let model = fields.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
    let play = models.next_play(&model);
    let got = got.and_then(|size| {
        if model.is_empty() {
            return Err(wrong(400, "you must provide a model parameter"));
        }
        if GONE.contains(&model.as_str()) {
            return Err(retired(&model));
        }
        match &play {
            Some(Play::Say { text }) => Ok(json!({ "text": text, "usage": { "type": "duration", "seconds": 1 } })),
            Some(play) if OpenAi::wrong(play, &model).is_some() => Err(OpenAi::wrong(play, &model).unwrap_or_else(|| retired(&model))),
            _ => Ok(json!({ "text": format!("(simulated) A recording of {size} bytes."), "usage": { "type": "duration", "seconds": size.div_ceil(4000) } })),
        }
    });
    finish::<OpenAi>(&models, &head, Value::Object(fields), &model, got, number)
}

/// The fields for the recording, and the size of the file.
async fn fields(mut form: Multipart) -> (Map<String, Value>, Result<usize, Wrong>) {
    let mut fields = Map::new();
    let mut size = Err(wrong(400, "file is a required field").param("file"));
    loop {
        match form.next_field().await {
            Ok(None) => return (fields, size),
            Ok(Some(field)) => {
                let name = field.name().unwrap_or_default().to_owned();
                let file = field.file_name().map(|file| json!({ "name": file, "type": field.content_type() }));
                let Ok(bytes) = field.bytes().await else { return (fields, Err(wrong(400, "The form is broken off"))) };
                let value = match file {
                    Some(mut file) => {
                        file["size"] = bytes.len().into();
                        let ending = file["name"]
                            .as_str()
                            .and_then(|name| name.rsplit_once('.'))
                            .map_or("", |(_, ending)| ending);
                        let known =
                            ["flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm"].contains(&ending);
                        size = match (known, bytes.is_empty()) {
                            (false, _) => Err(wrong(400, format!("Unrecognized file format: {ending:?}"))),
                            (_, true) => {
                                Err(wrong(400, "Audio file is too short. Minimum audio length is 0.1 seconds.")
                                    .code("audio_too_short"))
                            }
                            _ => Ok(bytes.len()),
                        };
                        file
                    }
                    None => String::from_utf8_lossy(&bytes).into_owned().into(),
                };
                fields.insert(name, value);
            }
            Err(_) => return (fields, Err(wrong(400, "The form is broken off"))),
        }
    }
}
