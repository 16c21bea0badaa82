//! Which model is asked, how often, and after how long. The clock stands still until somebody waits.

use std::time::Duration;

use bytes::Bytes;
use indaba_llm::{Chat, Class, Delta, Endpoint, Failed, Knob, Model, Part, Schema, Stop, all, find_vendor};
use serde_json::json;
use tokio::time::Instant;

use crate::{Does, MINUTE, Script, hello, llm, model};

fn says(text: &str) -> Does {
    let body = json!({"id": "c", "object": "chat.completion", "model": "gpt-6-luna", "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, "refusal": null}}]});
    Does::Answers(200, vec![("content-type", "application/json".into())], body.to_string().into())
}

fn fails(status: u16, code: &str, headers: &[(&'static str, &str)]) -> Does {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let body = json!({"error": {"message": "no", "type": "a_type", "param": null, "code": code}});
    Does::Answers(status, headers, body.to_string().into())
}

fn classes(failed: &Failed) -> Vec<Class> {
    failed.0.iter().map(|error| error.class.clone()).collect()
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Within a millisecond: the clock of tests has that grain.
fn took(since: Instant, must: f64) {
    let took = since.elapsed();
    assert!(took >= seconds(must) && took < seconds(must + 0.02), "took {took:?}, not {must} s");
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_waited_out() {
    let wire = Script::of([fails(500, "", &[]), Does::Refuses, says("Hello")]);
    let start = Instant::now();
    let done = llm(wire.clone()).chat(&[model("openai", "gpt-6-luna")], &hello(), MINUTE).await.unwrap();
    assert_eq!(done.value.text(), "Hello");
    assert_eq!(
        done.failed.iter().map(|error| &error.class).collect::<Vec<_>>(),
        [&Class::Transient, &Class::Transient]
    );
    took(start, 0.5 + 1.0);
    assert_eq!(wire.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_next_vendor_answers_when_the_first_is_out_of_money_and_the_caller_hears_of_both() {
    let wire = Script::of([fails(429, "insufficient_quota", &[]), says("Hello")]);
    let models = [model("openai", "gpt-6-luna"), model("compatible", "qwen3")];
    let done = llm(wire.clone()).chat(&models, &hello(), MINUTE).await.unwrap();
    assert_eq!(done.value.vendor, "compatible");
    assert_eq!(done.failed[0].class, Class::Money);
    assert_eq!(done.failed[0].to_string(), "openai gpt-6-luna: Money, status 429, insufficient_quota");
    let hosts: Vec<String> = wire.asked().into_iter().map(|(host, _)| host).collect();
    assert_eq!(hosts, ["api.openai.com", "127.0.0.1"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_taken_to_another_vendor() {
    let wire = Script::of([fails(400, "content_policy_violation", &[])]);
    let failed =
        llm(wire.clone()).chat(&[model("openai", "a"), model("compatible", "b")], &hello(), MINUTE).await.unwrap_err();
    assert_eq!(classes(&failed), [Class::Refused("content_policy_violation".into())]);
    assert_eq!(failed.again_after(), None);
}

#[tokio::test(start_paused = true)]
async fn a_speed_limit_holds_for_every_model_of_the_key_until_it_is_over() {
    let wire =
        Script::of([fails(429, "rate_limit_exceeded", &[("retry-after", "7")]), says("from b"), says("from a2")]);
    let llm = llm(wire.clone());
    let start = Instant::now();
    let done = llm.chat(&[model("openai", "a"), model("compatible", "b")], &hello(), MINUTE).await.unwrap();
    assert_eq!(done.value.text(), "from b");
    took(start, 0.0);
    let done = llm.chat(&[model("openai", "a2")], &hello(), MINUTE).await.unwrap();
    assert_eq!(done.value.text(), "from a2");
    took(start, 7.0);
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_is_given_back_to_the_job_that_asked() {
    let wire = Script::of([fails(429, "rate_limit_exceeded", &[("retry-after", "300")])]);
    let llm = llm(wire.clone());
    let start = Instant::now();
    let failed = llm.chat(&[model("openai", "a")], &hello(), MINUTE).await.unwrap_err();
    assert_eq!(failed.again_after(), Some(seconds(300.0)));
    let failed = llm.chat(&[model("openai", "a")], &hello(), MINUTE).await.unwrap_err();
    assert!(
        matches!(failed.last().class, Class::Resting(wait) if wait > seconds(299.0)),
        "nobody is asked again: {failed}"
    );
    took(start, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_overloaded_five_times_in_a_row_rests() {
    let wire = Script::of((0..5).map(|_| fails(529, "overloaded_error", &[])).chain([says("at last")]));
    let llm = llm(wire.clone());
    let one = [model("compatible", "a")];
    let start = Instant::now();
    let failed = llm.chat(&one, &hello(), MINUTE).await.unwrap_err();
    assert_eq!(classes(&failed), vec![Class::Overloaded(None); 3]);
    took(start, 2.0 + 4.0);
    let failed = llm.chat(&one, &hello(), MINUTE).await.unwrap_err();
    assert!(matches!(failed.last().class, Class::Resting(_)), "{failed}");
    assert_eq!(wire.asked().len(), 5);
    tokio::time::advance(seconds(30.0)).await;
    assert_eq!(llm.chat(&one, &hello(), MINUTE).await.unwrap().value.text(), "at last");
}

#[tokio::test(start_paused = true)]
async fn what_a_model_does_not_take_is_left_out_and_never_sent_again() {
    let complaint = |param: &str| {
        let body = json!({"error": {"message": "no", "type": "invalid_request_error", "param": param, "code": "unsupported_value"}});
        Does::Answers(400, vec![], body.to_string().into())
    };
    let wire = Script::of([
        complaint("temperature"),
        complaint("max_tokens"),
        says("one"),
        says("two"),
        complaint("temperature"),
    ]);
    let llm = llm(wire.clone());
    let one = [model("compatible", "a")];
    let chat = Chat { temperature: Some(0.2), ..hello() };
    assert_eq!(llm.chat(&one, &chat, MINUTE).await.unwrap().value.text(), "one");
    assert_eq!(llm.chat(&one, &chat, MINUTE).await.unwrap().value.text(), "two");
    let keys = |index: usize| wire.asked()[index].1.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(0), ["max_tokens", "messages", "model", "temperature"]);
    assert_eq!(keys(1), ["max_tokens", "messages", "model"]);
    assert_eq!(keys(2), ["max_completion_tokens", "messages", "model"]);
    assert_eq!(keys(3), keys(2));
    let failed = llm.chat(&one, &chat, MINUTE).await.unwrap_err();
    assert_eq!(classes(&failed), [Class::Parameter(Knob::Temperature)], "a complaint about what was not sent ends it");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_its_shape_is_asked_for_once_more() {
    let shape = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let chat = Chat { answer: Some(Schema::new("count", shape).unwrap()), ..hello() };
    let one = [model("compatible", "a")];
    let wire = Script::of([says("seven"), says("```json\n{\"n\": 7}\n```")]);
    let done = llm(wire).chat(&one, &chat, MINUTE).await.unwrap();
    assert_eq!(done.value.json, Some(json!({"n": 7})));
    assert_eq!(done.failed[0].class, Class::Misshapen);
    let wire = Script::of([says("{\"n\": \"7\"}"), says("{}")]);
    let failed = llm(wire).chat(&one, &chat, MINUTE).await.unwrap_err();
    assert_eq!(failed.0[0].detail, "the answer does not have its shape: /n: is not integer");
    assert_eq!(classes(&failed), vec![Class::Misshapen; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_takes_back_its_words_and_begins_anew() {
    let chunk = |text: &str, finish: Option<&str>| {
        let chunk = json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]});
        Ok(Bytes::from(format!("data: {chunk}\n\n")))
    };
    let wire = Script::of([
        Does::Streams(vec![chunk("Hel", None), Err("connection reset")]),
        Does::Streams(vec![
            chunk("Hello", None),
            chunk(" you", Some("stop")),
            Ok(Bytes::from_static(b"data: [DONE]\n\n")),
        ]),
    ]);
    let mut shown = Vec::new();
    let mut show = |delta| shown.push(delta);
    let done = llm(wire).chat_streamed(&[model("openai", "a")], &hello(), MINUTE, &mut show).await.unwrap();
    assert_eq!((done.value.text().as_str(), done.value.stop), ("Hello you", Stop::Done));
    let text = |text: &str| Delta::Text { text: text.into() };
    assert_eq!(shown, [text("Hel"), Delta::Restart, text("Hello"), text(" you")]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_was_agreed() {
    let hangs = || Script::of((0..9).map(|_| Does::Hangs));
    let start = Instant::now();
    let failed =
        llm(hangs()).chat(&[model("openai", "a"), model("compatible", "b")], &hello(), seconds(5.0)).await.unwrap_err();
    took(start, 5.0);
    assert_eq!(classes(&failed), [Class::Transient], "the second was not asked when time was up");

    let mut quick = model("openai", "a");
    quick.at.timeout = seconds(2.0);
    let start = Instant::now();
    let wire = hangs();
    llm(wire.clone()).chat(&[quick], &hello(), MINUTE).await.unwrap_err();
    assert_eq!(wire.asked().len(), 3);
    took(start, 3.0 * 2.0 + 0.5 + 1.0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_is_not_read_to_its_end() {
    for stream in [false, true] {
        let wire = Script::of([Does::Floods]);
        let mut show = |_| {};
        let one = [model("openai", "a")];
        let failed = if stream {
            llm(wire).chat_streamed(&one, &hello(), MINUTE, &mut show).await
        } else {
            llm(wire).chat(&one, &hello(), MINUTE).await
        };
        assert_eq!(classes(&failed.unwrap_err()), [Class::Unreadable]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_model_cannot_do_is_not_even_asked() {
    let mut chat = hello();
    chat.turns[0].parts.push(Part::Image { mime: "image/png".into(), bytes: Bytes::from_static(b"png") });
    let mut blind = model("openai", "a");
    blind.can.images = false;
    let failed = llm(Script::of([])).chat(&[blind], &chat, MINUTE).await.unwrap_err();
    assert_eq!(classes(&failed), [Class::Unable]);
    let failed = llm(Script::of([])).chat(&[], &chat, MINUTE).await.unwrap_err();
    assert_eq!(failed.last().detail, "no model is set up for this");
    let odd = Endpoint::of(find_vendor("openai").unwrap(), "odd", Some("two\nlines".into()));
    let failed = llm(Script::of([])).chat(&[Model::new(odd, "a")], &hello(), MINUTE).await.unwrap_err();
    assert_eq!(classes(&failed), [Class::Key]);
}

#[test]
fn every_vendor_has_a_name_of_its_own_and_an_address() {
    let mut kinds: Vec<&str> = all().iter().map(|vendor| vendor.kind()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["claude", "compatible", "gemini", "openai", "openai-responses"]);
    for vendor in all() {
        let at = Endpoint::of(*vendor, "id", None);
        assert!(matches!(at.base.scheme(), "https" | "http"));
        assert!(vendor.list(&at).unwrap().headers.get("authorization").is_none());
        let printed = format!("{:?}", Endpoint::of(*vendor, "id", Some("k-123".into())));
        assert!(!printed.contains("k-123"), "{printed}");
    }
    assert!(find_vendor("nobody").is_none());
}

#[test]
fn questions_can_be_asked_from_any_thread() {
    fn travels<T: Send>(_: T) {}
    let llm = llm(Script::of([]));
    let (one, chat) = ([model("openai", "a")], hello());
    let mut show = |_| {};
    travels(llm.chat(&one, &chat, MINUTE));
    travels(llm.chat_streamed(&one, &chat, MINUTE, &mut show));
    travels(llm.list(&one[0].at, MINUTE));
    travels(&llm);
}
