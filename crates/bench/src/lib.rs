//! Figures: what the machine can do ([`probes`]) and what our layers make of it. Every figure of Indaba is printed beside a probe
//! from the same run, because a rate alone says more about the machine than about the program.
pub mod account;
pub mod bare;
pub mod calls;
pub mod fan;
pub mod ingest;
pub mod jobs;
pub mod layer;
pub mod pages;
pub mod probes;
pub mod process;
pub mod reading;
pub mod seed;
pub mod serve;
pub mod sitting;
pub mod table;

use std::{
    fmt,
    time::{Duration, Instant},
};

/// What was done in a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How many: rows, jobs, requests.
    pub count: u64,
    /// From the first to the last.
    pub took: Duration,
    /// How long one step took, each of them, sorted.
    pub steps: Vec<Duration>,
}

impl Measured {
    /// Repeats `step`, which says how much it has done, until `run` is over.
    pub fn repeat<E>(run: Duration, mut step: impl FnMut() -> Result<u64, E>) -> Result<Measured, E> {
        let (start, mut all) = (Instant::now(), Measured::default());
        while start.elapsed() < run {
            let begin = Instant::now();
            all.count += step()?;
            all.steps.push(begin.elapsed());
        }
        all.took = start.elapsed();
        all.steps.sort_unstable();
        Ok(all)
    }

    /// Several that ran side by side, as one.
    pub fn together(parts: impl IntoIterator<Item = Measured>) -> Measured {
        let mut all = Measured::default();
        for part in parts {
            all.count += part.count;
            all.took = all.took.max(part.took);
            all.steps.extend(part.steps);
        }
        all.steps.sort_unstable();
        all
    }

    /// A second's worth.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }

    /// The step that `part` of all steps were no slower than: `at(0.5)` is the median.
    pub fn at(&self, part: f64) -> Duration {
        let last = self.steps.len().saturating_sub(1);
        let index = (last as f64 * part).round() as usize;
        self.steps.get(index).copied().unwrap_or_default()
    }
}

/// `60,123/s, p50 0.21 ms, p99 1.90 ms`
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |part| self.at(part).as_secs_f64() * 1e3;
        write!(f, "{}, p50 {:.2} ms, p99 {:.2} ms", table::rate(self.rate()), ms(0.5), ms(0.99))
    }
}
