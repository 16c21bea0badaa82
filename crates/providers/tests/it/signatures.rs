//! A hook proves itself by its signature alone; whatever is not exactly that is refused.

use indaba_providers::{Evolution, Hook, Provider, Secrets, Waha};

use crate::fixtures;

/// The vector of the wire page: computed with `openssl dgst -sha512 -hmac indaba-test-secret`.
const BODY: &str = r#"{"id":"evt_01test","timestamp":1795150000000,"event":"message","session":"t1_i1","payload":{"id":"false_27820001001@c.us_3EB0AAAA","from":"27820001001@c.us","fromMe":false,"body":"Sawubona 👋"}}"#;
const MAC: &str = "f2df302ea970b2772244b9bb931ada15be1683b8bbd605f22992ebea07c56de1a606b2ba38a0d726dc686a332966b472f85e13999922676f89d5c7662939e35d";
/// WAHA's own, from its documentation.
const BODY_OF_WAHA: &str = r#"{"event":"message","session":"default","engine":"WEBJS"}"#;
const MAC_OF_WAHA: &str = "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89";

fn keys(keys: &[&str]) -> Secrets {
    Secrets { keys: keys.iter().map(|key| (*key).to_owned().into()).collect(), verify_token: None }
}

fn hook(body: &str, headers: &[(&'static str, &str)]) -> Hook {
    let mut hook = Hook::stored(body.to_owned());
    for (name, value) in headers {
        hook.headers.append(*name, value.parse().unwrap());
    }
    hook
}

fn passes(secrets: &Secrets, hook: &Hook) -> bool {
    Waha.verify(secrets, hook).is_ok()
}

#[test]
fn the_vectors_pass() {
    assert_eq!(BODY.len(), 196);
    let ours = hook(BODY, &[("x-webhook-hmac", MAC), ("x-webhook-hmac-algorithm", "sha512")]);
    assert!(passes(&keys(&["indaba-test-secret"]), &ours));
    let theirs = hook(BODY_OF_WAHA, &[("x-webhook-hmac", MAC_OF_WAHA), ("x-webhook-hmac-algorithm", "sha512")]);
    assert!(passes(&keys(&["my-secret-key"]), &theirs));
    // while a key is replaced, both count
    assert!(passes(&keys(&["new", "indaba-test-secret"]), &ours));
    // hex is hex: capitals are the same bytes
    assert!(passes(
        &keys(&["indaba-test-secret"]),
        &hook(BODY, &[("x-webhook-hmac", &MAC.to_uppercase()), ("x-webhook-hmac-algorithm", "sha512")])
    ));
}

#[test]
fn everything_else_is_refused() {
    let secret = keys(&["indaba-test-secret"]);
    let good: [(&'static str, &str); 2] = [("x-webhook-hmac", MAC), ("x-webhook-hmac-algorithm", "sha512")];
    let with =
        |mac: &str, algorithm: &str| hook(BODY, &[("x-webhook-hmac", mac), ("x-webhook-hmac-algorithm", algorithm)]);
    let flipped = format!("e{}", &MAC[1..]);
    for (why, hook) in [
        ("unsigned", hook(BODY, &[])),
        ("no signature", hook(BODY, &good[1..])),
        ("no algorithm", hook(BODY, &good[..1])),
        ("another algorithm", with(MAC, "sha256")),
        ("an algorithm in capitals", with(MAC, "SHA512")),
        ("no algorithm's name", with(MAC, "")),
        ("one digit differs", with(&flipped, "sha512")),
        ("truncated", with(&MAC[..127], "sha512")),
        ("truncated to whole bytes", with(&MAC[..64], "sha512")),
        ("longer", with(&format!("{MAC}00"), "sha512")),
        ("empty", with("", "sha512")),
        ("not hex", with(&"z".repeat(128), "sha512")),
        ("with a name before it", with(&format!("sha512={MAC}"), "sha512")),
        ("another body", hook(&BODY.replace("👋", "🖐"), &good)),
        ("the same JSON, written otherwise", hook(&BODY.replace("👋", r"\ud83d\udc4b"), &good)),
        ("a body with a newline after it", hook(&format!("{BODY}\n"), &good)),
        ("an empty body", hook("", &good)),
        ("two signatures", hook(BODY, &[good[0], good[0], good[1]])),
        ("two signatures, the first wrong", hook(BODY, &[("x-webhook-hmac", flipped.as_str()), good[0], good[1]])),
        ("two algorithms", hook(BODY, &[good[0], good[1], ("x-webhook-hmac-algorithm", "none")])),
    ] {
        assert!(!passes(&secret, &hook), "{why} passes");
    }
    let signed = hook(BODY, &good);
    for (why, secrets) in [
        ("another secret", keys(&["another"])),
        ("no secret", keys(&[])),
        ("an empty secret", keys(&[""])),
        ("a longer secret", keys(&["indaba-test-secret "])),
    ] {
        assert!(!passes(&secrets, &signed), "{why} passes");
    }
}

#[test]
fn a_refusal_never_names_the_secret() {
    let refused = Waha.verify(&keys(&["indaba-test-secret"]), &hook(BODY, &[])).unwrap_err();
    assert!(!refused.to_string().contains("secret-"));
}

#[test]
fn a_retry_is_the_same_hook_and_message_any_is_another() {
    let captures: std::collections::HashMap<_, _> = fixtures::captures("waha").into_iter().collect();
    let key = |name: &str| Waha.split(&fixtures::hook(&captures[name])).remove(0).dedupe_key;
    assert_eq!(key("webhook-retry-fail-1"), key("webhook-retry-fail-2-retry"));
    // these two carry the same event id
    assert_ne!(key("webhook-message-text-sim"), key("webhook-message.any-text-sim"));
    let all: std::collections::HashSet<_> = captures
        .iter()
        .filter(|(name, _)| name.starts_with("webhook-"))
        .map(|(_, bytes)| fixtures::hook(bytes).body)
        .collect();
    let keys: std::collections::HashSet<_> =
        captures.keys().filter(|name| name.starts_with("webhook-")).map(|name| key(name)).collect();
    assert_eq!(keys.len(), all.len());
}

#[test]
fn evolution_is_known_by_its_header_alone() {
    let passes =
        |keys_: &[&str], headers: &[(&'static str, &str)]| Evolution.verify(&keys(keys_), &hook("{}", headers)).is_ok();
    assert!(passes(&["s3cret"], &[("x-indaba-token", "s3cret")]));
    assert!(passes(&["new", "s3cret"], &[("x-indaba-token", "s3cret")]));
    for (why, known, headers) in [
        ("no header", &["s3cret"][..], &[][..]),
        ("another word", &["s3cret"], &[("x-indaba-token", "s3creT")]),
        ("a shorter word", &["s3cret"], &[("x-indaba-token", "s3cre")]),
        ("an empty word", &["s3cret"], &[("x-indaba-token", "")]),
        ("no secret", &[], &[("x-indaba-token", "")]),
        ("an empty secret", &[""], &[("x-indaba-token", "")]),
        ("two words", &["s3cret"], &[("x-indaba-token", "s3cret"), ("x-indaba-token", "s3cret")]),
        ("another header", &["s3cret"], &[("authorization", "s3cret")]),
    ] {
        assert!(!passes(known, headers), "{why} passes");
    }
}

#[test]
fn the_key_that_evolution_sends_along_is_not_kept() {
    for (name, capture) in fixtures::captures("evolution") {
        let hook = fixtures::hook(&capture);
        let [part] = &Evolution.split(&hook)[..] else { panic!("{name}") };
        let kept = String::from_utf8(part.body.to_vec()).unwrap();
        assert!(!kept.contains("apikey") && !kept.contains("EVOCH-TOKEN"), "{name}: {kept}");
        assert_eq!(Evolution.read(&Hook::stored(kept)), Evolution.read(&hook), "{name}");
    }
}
