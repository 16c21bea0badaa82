//! The handshake: before hooks go to a URL, whoever is there must know the word.

use std::{sync::Arc, time::Duration};

use rand::RngExt as _;

use super::{account::Callback, refusal::Refusal};
use crate::sim::Sim;

/// Calls the URL as Meta does: 200 and the challenge, as it is, or the callback is not taken.
pub async fn verify(sim: &Arc<Sim>, callback: &Callback) -> Result<(), Refusal> {
    let challenge = rand::rng().random_range(100_000_000..2_000_000_000_u32).to_string();
    let mut url =
        url::Url::parse(&callback.url).map_err(|_| Refusal::param("Param callback_url must be a valid URI."))?;
    // A plus in a path arrives as a blank at Meta's; whoever puts one there learns it here.
    url.set_path(&url.path().replace('+', "%20"));
    url.query_pairs_mut().extend_pairs([
        ("hub.mode", "subscribe"),
        ("hub.challenge", &challenge),
        ("hub.verify_token", &callback.token),
    ]);
    let request =
        sim.hooks.strict().get(url).header("User-Agent", "facebookplatform/1.0 (+http://developers.facebook.com)");
    let answer = request.timeout(Duration::from_secs(10)).send().await;
    let answer = answer.map_err(|error| {
        let (number, what) = if error.is_timeout() { (28, "Operation timed out") } else { (7, "Failed to connect") };
        Refusal::callback(&format!("curl_errno = {number}; curl_error = {what}; HTTP Status Code = 0; HTTP Message ="))
    })?;
    let status = answer.status();
    if status != 200 {
        let words = status.canonical_reason().unwrap_or_default();
        return Err(Refusal::callback(&format!("HTTP Status Code = {}; HTTP Message = {words}", status.as_u16())));
    }
    let text = answer.text().await.unwrap_or_default();
    if text == challenge {
        return Ok(());
    }
    let got: String = text.chars().take(100).collect();
    Err(Refusal::callback(&format!("the challenge was not given back: got {got:?}")))
}
