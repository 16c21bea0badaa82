//! What follows from each kind of failure: one table for all vendors.
//!
//! | failure | at this model | then |
//! |---|---|---|
//! | transient | waits 0.5 s, 1 s (doubling, at most 8 s, ± 25 %), three tries in all | the next |
//! | overloaded | the next at once; alone, waits 2 s, 4 s; five in a row and it rests for 30 s | the next |
//! | rate | the endpoint rests as long as it asked; alone, waits if that is at most 10 s | the next |
//! | busy, misshapen | once more | the next |
//! | parameter | once more without it, and it is remembered | the next |
//! | quota, money, key, retired, too long, empty, unreadable, rejected, unable, resting | no | the next |
//! | refused | no | the end: a person answers |

use std::time::Duration;

use crate::{Class, Pace};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The same model, after this long.
    Again(Duration),
    /// The next model.
    Next,
    /// Nobody.
    Stop,
}

/// What to do after the `tried`-th failure at a model (the first is 1). `alone` when no model is left after it;
/// `jitter` is between 0 and 1.
pub fn step(class: &Class, again: Option<bool>, tried: u32, alone: bool, pace: &Pace, jitter: f64) -> Step {
    let doubled = |base: Duration| {
        let wait = base.saturating_mul(1 << (tried - 1).min(16)).min(pace.longest);
        wait.mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 2.0)
    };
    let more = tried < pace.tries && again != Some(false);
    match class {
        Class::Refused(_) => Step::Stop,
        Class::Transient if more => Step::Again(doubled(pace.base)),
        Class::Overloaded(wait) if more && alone && wait.unwrap_or_default() <= pace.patience => {
            Step::Again(doubled(pace.overload_base).max(wait.unwrap_or_default()))
        }
        Class::Rate(wait) if more && alone && wait.unwrap_or_default() <= pace.patience => {
            Step::Again(wait.unwrap_or_default().max(doubled(pace.base)))
        }
        Class::Busy | Class::Misshapen if tried < 2 && more => Step::Again(doubled(pace.base)),
        Class::Parameter(_) => Step::Again(Duration::ZERO), // the caller sees to it that each is dropped once
        _ => Step::Next,
    }
}

/// When a job may ask again after this failure; `None` if waiting does not mend it.
pub fn later(class: &Class) -> Option<Duration> {
    match class {
        Class::Transient | Class::Busy | Class::Misshapen | Class::Unreadable => Some(Duration::from_secs(5)),
        Class::Overloaded(wait) => Some(wait.unwrap_or(Duration::from_secs(30))),
        Class::Rate(wait) => Some(wait.unwrap_or(Duration::from_secs(10))),
        Class::Quota(wait) => Some(wait.unwrap_or(Duration::from_secs(3600))),
        Class::Resting(wait) => Some(*wait),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Knob;

    fn next(class: Class, tried: u32, alone: bool) -> Step {
        step(&class, None, tried, alone, &Pace::default(), 0.5)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_passing_failure_is_tried_three_times_with_doubling_waits() {
        assert_eq!(next(Class::Transient, 1, true), Step::Again(ms(500)));
        assert_eq!(next(Class::Transient, 2, false), Step::Again(ms(1000)));
        assert_eq!(next(Class::Transient, 3, true), Step::Next);
        assert_eq!(step(&Class::Transient, Some(false), 1, true, &Pace::default(), 0.5), Step::Next);
        assert_eq!(step(&Class::Transient, None, 1, true, &Pace::default(), 0.0), Step::Again(ms(375)));
        assert_eq!(step(&Class::Transient, None, 1, true, &Pace::default(), 1.0), Step::Again(ms(625)));
        let patient = Pace { tries: 40, ..Pace::default() };
        assert_eq!(step(&Class::Transient, None, 39, true, &patient, 0.5), Step::Again(patient.longest));
    }

    #[test]
    fn an_overload_or_a_speed_limit_goes_to_the_next_model_and_waits_only_when_there_is_none() {
        assert_eq!(next(Class::Overloaded(None), 1, false), Step::Next);
        assert_eq!(next(Class::Overloaded(None), 1, true), Step::Again(ms(2000)));
        assert_eq!(next(Class::Rate(Some(ms(7000))), 1, false), Step::Next);
        assert_eq!(next(Class::Rate(Some(ms(7000))), 1, true), Step::Again(ms(7000)));
        assert_eq!(next(Class::Rate(Some(ms(120_000))), 1, true), Step::Next);
    }

    #[test]
    fn what_a_person_must_mend_is_never_tried_again_here() {
        for class in [
            Class::Money,
            Class::Key,
            Class::Retired,
            Class::Quota(None),
            Class::TooLong,
            Class::Rejected,
            Class::Unreadable,
        ] {
            assert_eq!(next(class.clone(), 1, true), Step::Next, "{class:?}");
        }
        assert_eq!(next(Class::Refused("bio".into()), 1, false), Step::Stop);
        assert_eq!(next(Class::Misshapen, 1, true), Step::Again(ms(500)));
        assert_eq!(next(Class::Misshapen, 2, true), Step::Next);
        assert_eq!(next(Class::Parameter(Knob::Effort), 3, true), Step::Again(Duration::ZERO));
        assert_eq!(later(&Class::Money), None);
        assert_eq!(later(&Class::Rate(Some(ms(9)))), Some(ms(9)));
    }
}
