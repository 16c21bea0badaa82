//! How fast a number may send: in all, and to one person.

use std::collections::HashMap;

use super::account::Rules;

/// What has been sent of late.
#[derive(Debug, Default)]
pub struct Pace {
    /// The second that is counted, and how many there were in it.
    second: (i64, u32),
    /// Per person: how much of the burst is used up, and when that was so.
    pairs: HashMap<String, (f64, i64)>,
}

/// What is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooFast {
    /// 130429.
    Throughput,
    /// 131056.
    Pair,
}

impl Pace {
    /// Counts one message to `to`, unless it is too much. `second_ms` is how long one of the simulator's seconds lasts.
    pub fn count(&mut self, rules: &Rules, to: &str, now_ms: i64, second_ms: f64) -> Result<(), TooFast> {
        let second = now_ms.div_euclid(1_000);
        if self.second.0 != second {
            self.second = (second, 0);
        }
        if rules.per_second.is_some_and(|most| self.second.1 >= most) {
            return Err(TooFast::Throughput);
        }
        if let Some(burst) = rules.pair_burst {
            let each_ms = f64::from(rules.pair_seconds.max(1)) * second_ms.max(0.001);
            let (used, since) = self.pairs.get(to).copied().unwrap_or((0.0, now_ms));
            let left = (used - (now_ms - since).max(0) as f64 / each_ms).max(0.0);
            if left + 1.0 > f64::from(burst.max(1)) {
                return Err(TooFast::Pair);
            }
            if self.pairs.len() > 50_000 {
                self.pairs.clear();
            }
            self.pairs.insert(to.to_owned(), (left + 1.0, now_ms));
        }
        self.second.1 += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Rules, TooFast};

    #[test]
    fn a_burst_is_paid_back_and_others_go_on() {
        let rules = Rules { per_second: Some(5), pair_burst: Some(2), pair_seconds: 6, ..Rules::default() };
        let mut pace = Pace::default();
        let mut send = |to: &str, at: i64| pace.count(&rules, to, at, 1_000.0);
        assert_eq!((send("a", 0), send("a", 10), send("a", 20)), (Ok(()), Ok(()), Err(TooFast::Pair)));
        assert_eq!(send("b", 30), Ok(()));
        assert_eq!(
            (send("a", 5_900), send("a", 6_100), send("a", 6_200)),
            (Err(TooFast::Pair), Ok(()), Err(TooFast::Pair))
        );
        assert_eq!((6..10).map(|n| send(&n.to_string(), 6_300)).filter(Result::is_ok).count(), 4);
        assert_eq!(send("c", 6_400), Err(TooFast::Throughput), "five in this second, one of them to a");
    }
}
