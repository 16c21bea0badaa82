//! What people write to a number, what it sends, and what is there: the same story on each gateway.

use indaba_providers::{
    Address, Body, CallState, Card, CardLine, Content, History, Incoming, MediaSource, Outgoing, PresenceState,
    SendError, StatusState,
};
use serde_json::json;

use crate::house::{ASHA, House, PHONE, asha, file, name, of};

pub async fn what_they_write(house: &mut House) {
    let hello = house.writes(json!({"body": "Hello"})).await;
    assert_eq!(hello.content, Content::Text { text: "Hello".into() });
    assert_eq!((&hello.chat, hello.person.name.as_deref(), hello.from_me), (&asha(), Some("Asha"), false));
    assert!(hello.at.is_some());
    let reply = house.writes(json!({"body": "Is it open?", "replyTo": hello.provider_id})).await;
    assert_eq!(reply.quoted.unwrap().provider_id, hello.provider_id);

    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(b"a file's bytes");
    for (kind, mime) in [
        ("image", "image/jpeg"),
        ("video", "video/mp4"),
        ("voice", "audio/ogg; codecs=opus"),
        ("document", "application/pdf"),
        ("sticker", "image/webp"),
    ] {
        let sent = house
            .writes(json!({"kind": kind, "body": "", "file": {"mimetype": mime, "data": data, "filename": "a.bin"}}))
            .await;
        let media = sent.content.media().unwrap().clone();
        assert_eq!(media.mime.as_deref(), Some(mime), "{kind}");
        let source = MediaSource { media, message: name(&sent) };
        let got = house.provider.download(&house.link, &source, 1 << 20).await.unwrap();
        assert_eq!(got.bytes().await.unwrap().as_ref(), b"a file's bytes", "{kind}");
        // gone from where it was: asked for once more
        let mut gone = source;
        gone.media.url = Some("http://localhost:3000/api/files/ind_01/NOPE.bin".into());
        let got = house.provider.download(&house.link, &gone, 1 << 20).await.unwrap();
        assert_eq!(got.bytes().await.unwrap().as_ref(), b"a file's bytes", "{kind}");
    }
    let place = house
        .writes(json!({"kind": "location", "latitude": -26.2041, "longitude": 28.0473, "place": "Site office"}))
        .await;
    assert!(
        matches!(place.content, Content::Location { latitude, .. } if (latitude + 26.2041).abs() < 1e-9),
        "{place:?}"
    );
    let card = "BEGIN:VCARD\nVERSION:3.0\nFN:Jane Doe\nTEL;type=CELL;waid=27820001009:+27 82 000 1009\nEND:VCARD";
    let cards = house.writes(json!({"kind": "contacts", "contacts": [card]})).await;
    assert!(
        matches!(&cards.content, Content::Contacts { contacts } if contacts[0].phones[0].whatsapp.as_deref() == Some("+27820001009")),
        "{cards:?}"
    );

    let at = format!("numbers/{PHONE}/messages/{}", hello.provider_id);
    house.control(&format!("{at}/reaction"), json!({"from": ASHA, "emoji": "👍"})).await;
    let reaction = house
        .told("a reaction", |incoming| if let Incoming::Reaction(reaction) = incoming { Some(reaction) } else { None })
        .await;
    assert_eq!(
        (reaction.target.as_str(), reaction.emoji.as_str(), &reaction.chat),
        (hello.provider_id.as_str(), "👍", &asha())
    );
    house.control(&format!("{at}/reaction"), json!({"from": ASHA, "emoji": ""})).await;
    let reaction = house
        .told("none", |incoming| if let Incoming::Reaction(reaction) = incoming { Some(reaction) } else { None })
        .await;
    assert_eq!(reaction.emoji, "");
    house.control(&format!("{at}/edit"), json!({"body": "Hello!"})).await;
    let edited = house
        .told("an edit", |incoming| if let Incoming::Edited(edited) = incoming { Some(edited) } else { None })
        .await;
    assert_eq!((edited.target.as_str(), edited.text.as_deref()), (hello.provider_id.as_str(), Some("Hello!")));
    house.control(&format!("{at}/revoke"), json!({})).await;
    let revoked = house
        .told("a deletion", |incoming| if let Incoming::Revoked(revoked) = incoming { Some(revoked) } else { None })
        .await;
    assert_eq!(revoked.target, hello.provider_id);

    // from the owner's own phone
    house
        .control(&format!("numbers/{PHONE}/messages"), json!({"from": "me", "chat": ASHA, "body": "From the phone"}))
        .await;
    let own = house.message("text").await;
    assert!(
        own.from_me
            && own.chat == asha()
            && own.person.name.is_none()
            && own.person.phone.as_deref() == Some("+27820001001"),
        "{own:?}"
    );

    house.control(&format!("numbers/{PHONE}/calls"), json!({"from": ASHA, "state": "received", "video": true})).await;
    let call =
        house.told("a call", |incoming| if let Incoming::Call(call) = incoming { Some(call) } else { None }).await;
    assert!(call.state == CallState::Ringing && call.video && call.chat == asha());
    house.provider.watch(&house.link, &asha()).await.unwrap();
    house.control(&format!("numbers/{PHONE}/chats/{ASHA}/typing"), json!({"state": "typing"})).await;
    let typing = house
        .told("typing", |incoming| if let Incoming::Presence(presence) = incoming { Some(presence) } else { None })
        .await;
    assert_eq!((typing.state, typing.chat), (PresenceState::Typing, asha()));
}

pub async fn what_we_send(house: &mut House) {
    let text = house.sends(Body::Text { text: "Yes it is 👋".into() }).await.unwrap();
    let id = text.provider_id.clone();
    let delivered = |incoming| match incoming {
        Incoming::Status(status) if status.provider_id == id && status.state == StatusState::Delivered => Some(()),
        _ => None,
    };
    house.told("delivered", delivered).await;
    house.control(&format!("numbers/{PHONE}/chats/{ASHA}/open"), json!({})).await;
    let id = text.provider_id.clone();
    let read = |incoming| {
        matches!(incoming, Incoming::Status(status) if status.provider_id == id && status.state == StatusState::Read)
            .then_some(())
    };
    house.told("read", read).await;

    for body in [
        Body::Image { file: file("image/png", "a.png"), caption: Some("the roof".into()) },
        Body::Video { file: file("video/mp4", "a.mp4"), caption: None },
        Body::Voice { file: file("audio/ogg; codecs=opus", "a.ogg") },
        Body::Audio { file: file("audio/mpeg", "a.mp3") },
        Body::Document { file: file("application/pdf", "a.pdf"), caption: Some("signed".into()) },
        Body::Location {
            latitude: -26.2,
            longitude: 28.04,
            name: Some("Office".into()),
            address: Some("1 Main Rd".into()),
        },
        Body::Contacts {
            contacts: vec![Card {
                name: "Jane, Doe".into(),
                phones: vec![CardLine { value: "+27 82 000 1009".into(), ..CardLine::default() }],
                ..Card::default()
            }],
        },
        Body::Poll { question: "When?".into(), options: vec!["Morning".into(), "Afternoon".into()], multiple: false },
    ] {
        let shown = format!("{body:?}");
        let sent = house.sends(body).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        if shown.starts_with("Poll") {
            let at = format!("numbers/{PHONE}/messages/{}/vote", sent.provider_id);
            house.control(&at, json!({"from": ASHA, "options": ["Morning"]})).await;
            let vote = house
                .told("a vote", |incoming| if let Incoming::PollVote(vote) = incoming { Some(vote) } else { None })
                .await;
            assert_eq!((vote.poll, vote.options), (sent.provider_id, Some(vec!["Morning".to_owned()])));
            assert!(vote.poll_from_me && vote.chat == asha());
        }
    }
    let asked = house.writes(json!({"body": "And the price?"})).await;
    let mut answer = Outgoing::text(asha(), "msg_reply", "R 9,500");
    answer.reply_to = Some(name(&asked));
    answer.link_preview = false;
    let sent = house.provider.send(&house.link, &answer).await.unwrap();
    let echo = house.message("text").await;
    assert_eq!(echo.provider_id, sent.provider_id);
    assert_eq!(echo.quoted.unwrap().provider_id, asked.provider_id);

    house.provider.react(&house.link, &name(&asked), "❤").await.unwrap();
    let reaction = house
        .told(
            "our reaction",
            |incoming| if let Incoming::Reaction(reaction) = incoming { Some(reaction) } else { None },
        )
        .await;
    assert!(reaction.from_me && reaction.target == asked.provider_id && reaction.emoji == "❤");
    house.provider.edit(&house.link, &of(&sent), "R 9,400").await.unwrap();
    if house.provider.kind() == "waha" {
        let edited = house
            .told("our edit", |incoming| if let Incoming::Edited(edited) = incoming { Some(edited) } else { None })
            .await;
        assert_eq!(
            (edited.target, edited.text.as_deref(), edited.from_me),
            (sent.provider_id.clone(), Some("R 9,400"), true)
        );
    }
    house.provider.revoke(&house.link, &of(&sent)).await.unwrap();
    let revoked = house
        .told("our deletion", |incoming| if let Incoming::Revoked(revoked) = incoming { Some(revoked) } else { None })
        .await;
    assert_eq!((revoked.target, revoked.from_me), (sent.provider_id, true));
    house.provider.mark_read(&house.link, &asha(), &[name(&asked)]).await.unwrap();
    for state in [PresenceState::Typing, PresenceState::Recording, PresenceState::Paused] {
        house.provider.typing(&house.link, &asha(), state, None).await.unwrap();
    }
    let mut first = Outgoing::text(Address::parse("27820000000").unwrap(), "msg_first", "Hello");
    first.first = true;
    assert_eq!(house.provider.send(&house.link, &first).await, Err(SendError::NotOnWhatsApp));
}

pub async fn what_is_there(house: &mut House) {
    let link = &house.link;
    let chats = house.provider.chats(link, None, 20).await.unwrap();
    let chat = chats.items.iter().find(|chat| chat.chat == asha()).expect("Asha's chat");
    assert_eq!(chat.person.name.as_deref(), Some("Asha"));
    assert!(chat.at.is_some());
    // page by page, the whole history comes once
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page =
            house.provider.history(link, &History { chat: Some(asha()), since: None, after, limit: 5 }).await.unwrap();
        assert!(page.items.iter().all(|message| message.history && message.chat == asha()));
        seen.extend(page.items.into_iter().map(|message| message.provider_id));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert!(once.len() == seen.len() && seen.len() > 15, "{} of {}", once.len(), seen.len());
    if link.build.engine.as_deref() != Some("WEBJS") {
        let all =
            house.provider.history(link, &History { since: Some(0), limit: 100, ..History::default() }).await.unwrap();
        assert!(all.items.len() > seen.len());
    }
    assert_eq!(house.provider.person(link, &asha()).await.unwrap().name.as_deref(), Some("Asha"));
    assert!(
        house
            .provider
            .people(link, None, 50)
            .await
            .unwrap()
            .items
            .iter()
            .any(|person| person.phone.as_deref() == Some("+27820001001"))
    );
    assert_eq!(house.provider.on_whatsapp(link, &asha()).await.unwrap(), Some(asha()));
    assert_eq!(house.provider.on_whatsapp(link, &Address::parse("27820000000").unwrap()).await.unwrap(), None);
    house.provider.picture(link, &asha()).await.unwrap();
    assert_eq!(house.provider.limits(link).await.unwrap(), Default::default());
}
