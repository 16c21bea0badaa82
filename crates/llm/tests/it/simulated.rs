//! Every vendor against its simulated side, over real HTTP on loopback.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use indaba_llm::{
    Audio, Chat, Choice, Class, Delta, Embed, Endpoint, Failed, Knob, Llm, Model, Pace, Part, Purpose, Role, Schema,
    Stop, Tool, ToolResult, Turn, client, find_vendor,
};
use indaba_simulator::{
    Config, Simulator,
    llm::{Models, Play, router},
};
use serde_json::json;

use crate::{MINUTE, hello};

const CHATS: [&str; 5] = ["claude", "gemini", "openai", "openai-responses", "compatible"];

/// The simulated vendors on a port of their own, and a client for them that does not dawdle.
struct There {
    models: Models,
    url: String,
    llm: Llm,
}

impl There {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok(); // the first test wins
        let models = Models::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router(models.clone())).into_future());
        let quick = Duration::from_millis(1);
        let pace = Pace { base: quick, overload_base: quick, overloads: 1000, rest: Duration::ZERO, ..Pace::default() };
        let client = client(reqwest::Client::builder()).unwrap();
        let llm = Llm::over(Arc::new(client), pace, jiff::Timestamp::now, || 0.5);
        Self { models, url, llm }
    }

    fn model(&self, kind: &str, id: &str) -> Model {
        let path = match kind {
            "claude" => "",
            "gemini" => "/v1beta",
            _ => "/v1",
        };
        let at = Endpoint::of(find_vendor(kind).unwrap(), format!("{kind} {id}"), Some("sk-test".into()));
        Model::new(at.at(format!("{}{path}", self.url).parse().unwrap()), id)
    }

    async fn chat(&self, kind: &str, id: &str, chat: &Chat) -> Result<indaba_llm::Done<indaba_llm::Reply>, Failed> {
        self.llm.chat(&[self.model(kind, id)], chat, MINUTE).await
    }
}

fn shape() -> Schema {
    let shape = json!({"type": "object", "additionalProperties": false, "required": ["intent", "reply", "score"], "properties": {
        "intent": {"type": "string", "enum": ["book", "ask"]}, "reply": {"type": "string"}, "score": {"type": ["number", "null"]}}});
    Schema::new("answer", shape).unwrap()
}

fn tool() -> Tool {
    let shape = json!({"type": "object", "additionalProperties": false, "required": ["reason"], "properties": {"reason": {"type": "string"}}});
    Tool {
        name: "hand_over".into(),
        description: "Pass to a person".into(),
        parameters: Schema::new("hand_over", shape).unwrap(),
    }
}

/// The first bytes of a PNG: the simulated side looks no closer.
fn image() -> Part {
    Part::Image { mime: "image/png".into(), bytes: Bytes::from_static(b"\x89PNG\r\n\x1a\n") }
}

#[tokio::test]
async fn each_vendor_hears_reads_and_sees_and_says_what_it_cost() {
    let there = There::new().await;
    for kind in CHATS {
        let mut turn = Turn::user("Which room is this?");
        turn.parts.insert(0, image());
        let turns = vec![Turn::user("Hi"), Turn::assistant("Hello"), turn];
        let chat = Chat { system: Some("You answer for Acme Homes.".into()), ..Chat::new(turns, 1024) };
        let reply = there.chat(kind, "any-model", &chat).await.unwrap().value;
        assert_eq!(reply.text(), "(simulated) You said: Which room is this? I got 1 image.", "{kind}");
        assert_eq!((reply.stop, reply.vendor.as_str(), reply.model.as_str()), (Stop::Done, kind, "any-model"));
        assert!(
            reply.usage.input > 256 && reply.usage.output == 14 && !reply.usage.estimated,
            "{kind}: {:?}",
            reply.usage
        );
        assert!(reply.request_id.is_some(), "{kind}");
    }
    for seen in there.models.requests() {
        let headers = format!("{:?} {}", seen.headers, seen.query);
        assert!(headers.contains("struck out") && !headers.contains("sk-test"), "{headers}");
    }
}

#[tokio::test]
async fn each_vendor_streams_the_same_answer() {
    let there = There::new().await;
    for kind in CHATS {
        let mut shown = String::new();
        let mut show = |delta| {
            if let Delta::Text { text } = delta {
                shown.push_str(&text)
            }
        };
        let model = there.model(kind, "any-model");
        let done = there.llm.chat_streamed(&[model], &hello(), MINUTE, &mut show).await.unwrap();
        let whole = there.chat(kind, "any-model", &hello()).await.unwrap();
        assert_eq!(shown, "(simulated) You said: Hello");
        assert_eq!(
            (done.value.text(), done.value.usage, done.value.stop),
            (shown, whole.value.usage, Stop::Done),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn each_vendor_answers_in_the_shape_that_was_asked_for() {
    let there = There::new().await;
    for kind in CHATS {
        let chat = Chat { answer: Some(shape()), ..hello() };
        let done = there.chat(kind, "any-model", &chat).await.unwrap();
        let must = json!({"intent": "book", "reply": "(simulated) You said: Hello", "score": 0.5});
        assert_eq!(done.value.json, Some(must), "{kind}");
    }
}

#[tokio::test]
async fn each_vendor_uses_a_tool_and_hears_what_came_of_it_streamed_or_not() {
    let there = There::new().await;
    for (kind, id) in [
        ("claude", "claude-haiku-5-5"),
        ("gemini", "gemini-3.8-flash"),
        ("openai", "gpt-6-luna"),
        ("openai-responses", "gpt-6-luna"),
        ("compatible", "qwen3"),
    ] {
        for stream in [false, true] {
            let mut chat = Chat { tools: vec![tool()], ..Chat::new(vec![Turn::user("Please hand over")], 1024) };
            let reply = if stream {
                there.llm.chat_streamed(&[there.model(kind, id)], &chat, MINUTE, &mut |_| {}).await.unwrap().value
            } else {
                there.chat(kind, id, &chat).await.unwrap().value
            };
            let call = reply.tool_calls().next().unwrap().clone();
            assert_eq!(
                (call.name.as_str(), &call.arguments, reply.stop),
                ("hand_over", &json!({"reason": "simulated"}), Stop::Tools),
                "{kind}"
            );
            let result = ToolResult { id: call.id, name: call.name, text: "Somebody is there".into(), failed: false };
            chat.turns.push(reply.turn);
            chat.turns.push(Turn { role: Role::User, parts: vec![Part::ToolResult(result)] });
            let reply = there.chat(kind, id, &chat).await.unwrap().value;
            assert_eq!(reply.text(), "(simulated) The tool answered: Somebody is there", "{kind}");
        }
    }
}

#[tokio::test]
async fn a_tool_can_be_demanded_or_forbidden() {
    let there = There::new().await;
    for kind in CHATS {
        for (choice, calls) in
            [(Choice::Any, 1), (Choice::Named("hand_over".into()), 1), (Choice::None, 0), (Choice::Auto, 0)]
        {
            let chat = Chat { tools: vec![tool()], choice, ..hello() };
            assert_eq!(there.chat(kind, "any-model", &chat).await.unwrap().value.tool_calls().count(), calls, "{kind}");
        }
    }
}

#[tokio::test]
async fn each_failure_is_told_from_every_other_at_each_vendor() {
    let there = There::new().await;
    let soon = Some(Duration::ZERO);
    for kind in CHATS {
        let google = kind == "gemini";
        let daily = if google {
            Class::Quota(Some(Duration::from_secs(3600)))
        } else {
            Class::Rate(Some(Duration::from_secs(3600)))
        };
        let refused = |claude: &str, openai: &str, gemini: &str| {
            Class::Refused(
                if kind == "claude" {
                    claude
                } else if google {
                    gemini
                } else {
                    openai
                }
                .to_owned(),
            )
        };
        let cases = [
            (Play::Refuse { category: Some("bio".into()) }, refused("bio", "refusal", "SAFETY")),
            (Play::Block, refused("unspecified", "content_filter", "PROHIBITED_CONTENT")),
            (Play::Overloaded, Class::Overloaded(None)),
            (Play::Rate { after: 0, dated: false }, Class::Rate(soon)),
            (Play::Rate { after: 0, dated: true }, Class::Rate(soon)),
            (Play::DailyQuota, daily),
            (Play::NoMoney, Class::Money),
            (Play::BadKey, Class::Key),
            (Play::Retired, Class::Retired),
            (Play::TooLong, Class::TooLong),
            (Play::Busy, Class::Busy),
            (Play::Dislikes { parameter: "temperature".into() }, Class::Parameter(Knob::Temperature)),
            (Play::Fails { status: 500 }, Class::Transient),
            (Play::Fails { status: 502 }, Class::Transient),
            (Play::CutOff, Class::Transient),
            (Play::Malformed, Class::Unreadable),
            (Play::Html, Class::Unreadable),
            (Play::Redirect { to: "https://example.com/".into() }, Class::Unreadable),
            (Play::Endless, Class::Unreadable),
            (Play::Empty, Class::Empty),
        ];
        for (number, (play, class)) in cases.into_iter().enumerate() {
            for stream in [false, true] {
                let id = format!("model-{number}-{stream}");
                there.models.play(&id, vec![play.clone(); 3]);
                let mut models = [there.model(kind, &id)];
                models[0].at.id = format!("{kind} {id}"); // a pause of one is none of the others
                let failed = if stream {
                    there.llm.chat_streamed(&models, &hello(), MINUTE, &mut |_| {}).await
                } else {
                    there.llm.chat(&models, &hello(), MINUTE).await
                };
                let failed = failed.expect_err(&format!("{kind} {play:?} is no answer"));
                assert_eq!(failed.last().class, class, "{kind} {play:?} {stream}: {failed}");
            }
        }
    }
}

#[tokio::test]
async fn what_fails_twice_is_answered_the_third_time() {
    let there = There::new().await;
    for kind in CHATS {
        for id in ["sim-fails:2", "sim-overloaded:2", "sim-cut-off:2", "sim-breaks:2", "sim-busy:1"] {
            there.models.clear();
            let done = there.llm.chat_streamed(&[there.model(kind, id)], &hello(), MINUTE, &mut |_| {}).await;
            let done = done.unwrap_or_else(|failed| panic!("{kind} {id}: {failed}"));
            assert_eq!(done.value.text(), "(simulated) You said: Hello", "{kind} {id}");
            assert_eq!(there.models.requests().len(), done.failed.len() + 1);
        }
    }
}

#[tokio::test]
async fn a_key_is_tried_by_asking_which_models_there_are() {
    let there = There::new().await;
    for (kind, id) in [
        ("claude", "claude-haiku-5-5"),
        ("gemini", "gemini-3.8-flash"),
        ("openai", "gpt-6-luna"),
        ("openai-responses", "gpt-6-luna"),
        ("compatible", "gpt-6-luna"),
    ] {
        let mut at = there.model(kind, "").at;
        let listed = there.llm.list(&at, MINUTE).await.unwrap();
        assert!(listed.iter().any(|one| one.id == id), "{kind}: {listed:?}");
        assert!(!listed.iter().any(|one| one.id == "claude-opus-4-1"), "retired");
        at.key = Some("sk-invalid".into());
        assert_eq!(there.llm.list(&at, MINUTE).await.unwrap_err().class, Class::Key, "{kind}");
    }
}

#[tokio::test]
async fn models_that_the_vendors_have_retired_are_retired_here() {
    let there = There::new().await;
    for (kind, id) in [
        ("claude", "claude-opus-4-1"),
        ("gemini", "gemini-1.5-pro"),
        ("openai", "gpt-4"),
        ("openai-responses", "o3-mini"),
    ] {
        let failed = there.chat(kind, id, &hello()).await.unwrap_err();
        assert_eq!(failed.last().class, Class::Retired, "{failed}");
    }
}

#[tokio::test]
async fn what_newer_models_do_not_take_is_found_out_at_the_first_question() {
    let there = There::new().await;
    let chat = Chat { temperature: Some(0.2), ..hello() };
    for (kind, id) in [("openai", "gpt-6-luna"), ("openai-responses", "gpt-6-luna")] {
        let done = there.chat(kind, id, &chat).await.unwrap();
        assert_eq!(done.failed.len(), 1);
        assert_eq!(there.chat(kind, id, &chat).await.unwrap().failed.len(), 0, "{kind} is not asked that twice");
    }
    let claude = there.chat("claude", "claude-haiku-5-5", &chat).await.unwrap();
    assert_eq!(claude.failed.len(), 0, "it is not even sent in the newest version");
}

#[tokio::test]
async fn texts_become_vectors_that_are_near_when_they_share_words() {
    let there = There::new().await;
    for kind in ["gemini", "openai", "compatible"] {
        let texts =
            ["a flat near the sea", "a flat near the station", "opening hours on Sunday"].map(Into::into).into();
        let embed = Embed { texts, dimensions: Some(256), purpose: Purpose::Document };
        let done = there.llm.embed(&there.model(kind, "an-embedding"), &embed, MINUTE).await.unwrap();
        let [a, b, c] = done.value.vectors.as_slice() else { panic!("three vectors") };
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        assert_eq!(a.len(), 256);
        assert!(near(a, b) > 0.4 && near(a, c) < 0.3, "{kind}: {} {}", near(a, b), near(a, c));
        assert!(done.value.usage.input > 0);
    }
    let embed = Embed { texts: vec!["a".into()], dimensions: None, purpose: Purpose::Query };
    let failed = there.llm.embed(&there.model("claude", "a"), &embed, MINUTE).await.unwrap_err();
    assert_eq!(failed.last().class, Class::Unable);
}

#[tokio::test]
async fn a_recording_is_written_down_by_the_first_who_can() {
    let there = There::new().await;
    let audio =
        Audio { mime: "audio/ogg; codecs=opus".into(), bytes: Bytes::from(vec![7; 9000]), language: Some("sw".into()) };
    let models = [there.model("claude", "a"), there.model("openai", "gpt-transcribe")];
    let done = there.llm.transcribe(&models, &audio, MINUTE).await.unwrap();
    assert_eq!(done.value.text, "(simulated) A recording of 9000 bytes.");
    assert_eq!(done.value.heard, Some(Duration::from_secs(3)));
    let body = there.models.requests().pop().unwrap().body;
    let file = json!({"name": "recording.ogg", "type": "audio/ogg", "size": 9000});
    assert_eq!(body, json!({"model": "gpt-transcribe", "response_format": "json", "language": "sw", "file": file}));
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_never_answers_is_left() {
    let there = There::new().await;
    for kind in CHATS {
        let mut model = there.model(kind, "sim-hang");
        model.at.timeout = Duration::from_secs(30);
        let begun = tokio::time::Instant::now();
        let failed = there.llm.chat(&[model], &hello(), Duration::from_secs(20)).await.unwrap_err();
        assert_eq!(failed.last().class, Class::Transient, "{kind}");
        assert_eq!(begun.elapsed().as_secs(), 20);
    }
}

#[tokio::test]
async fn the_simulator_has_the_vendors_under_llm() {
    let there = There::new().await;
    let simulator = Simulator::start(Config::fast()).await.unwrap();
    simulator.models().play("gpt-6-luna", [Play::Say { text: "Yes.".into() }]);
    for (kind, path, words) in [("openai", "/v1", "Yes."), ("gemini", "/v1beta", "(simulated) You said: Hello")] {
        let mut model = there.model(kind, "gpt-6-luna");
        model.at.base = format!("{}/llm{path}", simulator.url()).parse().unwrap();
        let done = there.llm.chat(&[model], &hello(), MINUTE).await.unwrap();
        assert_eq!(done.value.text(), words);
    }
    assert_eq!(simulator.models().requests().len(), 2);
    simulator.stop().await;
}
