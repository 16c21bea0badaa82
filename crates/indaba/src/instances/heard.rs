//! What gateways say of their links, on two ways that overtake each other: hooks, and answers to our calls.
//!
//! Hooks are put in order by the gateway's own clock, which may be wrong: its times are only compared with each other. An answer is the
//! truth of the moment it was given at; it counts unless a newer hook came in while it was on its way.
use super::{CODE_LIFE, Instance, InstanceId, LinkStep, State, Trouble, jobs, store, view};
use crate::{Error, Result, clock::Time, db::TenantTx};
use indaba_providers::{Reason, Session, SessionState, Step};
use std::time::Duration;

/// A short dip of a connected number (`WORKING` → `STARTING` → `WORKING`) is normal and not shown for this long.
const DIP: Duration = Duration::from_secs(60);
/// How soon a gateway is asked when what it tells does not fit what is known.
const SOON: Duration = Duration::from_secs(1);
/// A number is looked at each minute; when it was not found connected for so long, something may have been missed.
const MISSED: Duration = Duration::from_secs(180);
/// Of a clock that is so far ahead nothing is believed.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The time of an answer has whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// Takes in what a hook says of the link. The newest counts, by the gateway's own clock; what seems older but says something else makes
/// us ask, so that a clock that was put back silences nothing. A short dip of a connected number changes nothing by itself: it is looked
/// at again a minute later.
pub fn receive(tx: &mut TenantTx, id: InstanceId, session: &Session) -> Result<()> {
    let Some((before, state, step)) = heard(tx, id, session)? else { return Ok(()) };
    let now = tx.now();
    if is_dip(&before, state, step) {
        return jobs::look_after_dip(tx, id, now, now + DIP);
    }
    let at = session.at.map(Time).filter(|at| *at < now + DAY).unwrap_or(before.state_at);
    if at < before.state_at {
        let other = (before.state, before.link_step) != (state, step);
        return if other { jobs::look_again(tx, id, now + SOON) } else { Ok(()) };
    }
    // what an answer said already: its time is that of the same second, rounded down
    let said = before.state_at.0 % 1000 == 0 && at < before.state_at + SECOND;
    let fresh_code = at > before.state_at && !said;
    write(tx, &before, (state, step), session, at, fresh_code, None)
}

/// Takes in what the gateway answered when it was asked. `known` is the time of the newest hook when the question was put.
pub fn answered(tx: &mut TenantTx, id: InstanceId, session: &Session, known: Time) -> Result<()> {
    answered_after(tx, id, session, known, None)
}

/// The same a while after the number dipped, at `dip`: what lasts is no dip.
pub(super) fn answered_after(
    tx: &mut TenantTx,
    id: InstanceId,
    session: &Session,
    known: Time,
    dip: Option<Time>,
) -> Result<()> {
    let Some((before, state, step)) = heard(tx, id, session)? else { return Ok(()) };
    let now = tx.now();
    if is_dip(&before, state, step) && dip.is_none() {
        return jobs::look_after_dip(tx, id, now, now + DIP);
    }
    let at = session.at.map(Time).filter(|at| *at < now + DAY);
    if before.state_at != known && at.is_none_or(|at| at < before.state_at) {
        return Ok(()); // a hook overtook the answer
    }
    // the gateway's clock was put back, or it is only the rounding
    let at = at.map_or(before.state_at, |at| if at + SECOND > before.state_at { before.state_at.max(at) } else { at });
    // that a code still waits moves nothing: the next one may come within this second
    let waits = step == Some(LinkStep::Scan) && before.link_step == step;
    let at = if waits { before.state_at } else { at };
    write(tx, &before, (state, step), session, at, false, dip)
}

/// Nothing can be sent on it until somebody acts: its gateway, or Meta, said `why`. The next look that finds it well ends that.
pub fn refused(tx: &mut TenantTx, id: InstanceId, why: &str) -> Result<()> {
    let before = store::locked(tx, id)?;
    if before.state != State::Connected {
        return Ok(()); // what is known already says more
    }
    let wrong = (Some(Trouble::Refused), Some(why));
    store::set_state(tx, id, State::Attention, None, wrong, before.state_at, None)?;
    changed(tx, id, &before)
}

/// The number as it was, locked, and what the session means for it. None: nothing.
fn heard(tx: &mut TenantTx, id: InstanceId, session: &Session) -> Result<Option<(Instance, State, Option<LinkStep>)>> {
    let before = match store::locked(tx, id) {
        Err(Error::Missing) => return Ok(None), // deleted meanwhile
        other => other?,
    };
    if session.phone.is_some() || session.push_name.is_some() {
        store::set_owner(tx, id, session.phone.as_deref(), session.push_name.as_deref())?;
    }
    let Some((mut state, step)) = meaning(session) else { return Ok(None) };
    if state == State::Paused && !matches!(before.state, State::Connected | State::Paused | State::Attention) {
        state = State::Disconnected; // nothing was linked
    }
    // Evolution says "connecting" all the while a code waits, and its hooks keep no order: without a time of its own that takes no code back
    let vague = session.at.is_none() && (state, step) == (State::Linking, Some(LinkStep::Preparing));
    let waits = before.link_step == Some(LinkStep::Scan) && before.code_expires_at.is_some_and(|end| end > tx.now());
    Ok((!vague || !waits).then_some((before, state, step)))
}

fn is_dip(before: &Instance, state: State, step: Option<LinkStep>) -> bool {
    before.state == State::Connected && (state, step) == (State::Linking, Some(LinkStep::Preparing))
}

fn write(
    tx: &mut TenantTx,
    before: &Instance,
    (state, step): (State, Option<LinkStep>),
    session: &Session,
    at: Time,
    fresh_code: bool,
    dip: Option<Time>,
) -> Result<()> {
    let (id, now) = (before.id, tx.now());
    let seen = (state == State::Connected).then_some(now);
    // one that was stopped and is not linked has what it had
    let stopped = session.reason == Some(Reason::Stopped) && state != State::Paused;
    let wrong = if stopped { before.trouble } else { session.reason.map(Trouble::from) };
    store::set_state(tx, id, state, step, (wrong, None), at, seen)?;
    // a new code is told with its time; an answer only repeats what is known
    if step == Some(LinkStep::Scan) && (before.link_step != step || fresh_code) {
        let attempt = if before.link_step == step { before.code_attempt + 1 } else { 1 };
        let expires = session.code.as_ref().and_then(|code| code.expires_at).map_or(now + CODE_LIFE, Time);
        store::set_code(tx, id, attempt, Some(expires))?;
    }
    if seen.is_none() {
        return changed(tx, id, before);
    }
    let last = before.seen_at.or(before.last_inbound_at);
    let missed = match before.state {
        State::Connected => dip.or(last.filter(|last| now.since(*last) > MISSED)),
        _ => last,
    };
    match missed {
        Some(since) => {
            let after = store::get(tx, id)?;
            view::tell_missed(tx, &after, since)
        }
        None => changed(tx, id, before),
    }
}

/// Tells the open browsers, if anything that shows has changed.
pub(super) fn changed(tx: &mut TenantTx, id: InstanceId, before: &Instance) -> Result<()> {
    let after = store::get(tx, id)?;
    let face = |of: &Instance| {
        let words = (of.state, of.link_step, of.code_attempt, of.paused_until, of.firsts_paused_until);
        let troubles = (of.trouble, of.hold, of.gateway_health, of.state_reason.clone());
        (words, troubles, of.own_phone.clone(), of.push_name.clone(), of.sync_state, of.sync_chats)
    };
    if face(&after) == face(before) { Ok(()) } else { view::tell(tx, &after) }
}

/// What a gateway's state means here; None: nothing that we know.
fn meaning(session: &Session) -> Option<(State, Option<LinkStep>)> {
    let step = session.step.map(|step| match step {
        Step::Preparing => LinkStep::Preparing,
        Step::Scan => LinkStep::Scan,
        Step::Expired => LinkStep::Expired,
        Step::Linking => LinkStep::Linking,
        Step::Syncing => LinkStep::Syncing,
        Step::Refused => LinkStep::Refused,
    });
    match session.state {
        SessionState::Unknown => None,
        SessionState::Linking => Some((State::Linking, step.or(Some(LinkStep::Preparing)))),
        SessionState::Connected => Some((State::Connected, None)),
        SessionState::Attention => Some((State::Attention, step)),
        // somebody stopped it, and it stays linked: a pause
        SessionState::Disconnected if session.reason == Some(Reason::Stopped) => Some((State::Paused, None)),
        SessionState::Disconnected => Some((State::Disconnected, None)),
        SessionState::Banned => Some((State::Banned, None)),
    }
}
