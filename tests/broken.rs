//! What nobody would send: captures changed, spoilt and blown up. Included by the mutation tests of each crate that parses
//! what others send; `make fuzz` runs them a million times.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Map, Number, Value, json};

/// How many inputs to read: `short` in the tests, or the share of `INDABA_FUZZ` that `short` has of `all`.
pub fn inputs(short: usize, all: usize) -> usize {
    let asked = std::env::var("INDABA_FUZZ").ok().and_then(|text| text.parse::<usize>().ok());
    asked.map_or(short, |asked| asked.div_ceil(all) * short)
}

/// Small and the same every time (xorshift): a failure names its case.
pub struct Dice(pub u64);

impl Dice {
    pub fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).expect("it is less than a usize")
    }
}

/// Values that have broken programs before.
fn odd(dice: &mut Dice) -> Value {
    match dice.throw(34) {
        0 => Value::Null,
        1 => true.into(),
        2 => 0.into(),
        3 => (-1).into(),
        4 => u64::MAX.into(),
        5 => i64::MIN.into(),
        6 => Number::from_f64(1e308).expect("it is finite").into(),
        7 => 1795150000123_i64.into(),
        8 => "1795150000".into(),
        9 => 253402300800_i64.into(),
        10 => "".into(),
        11 => "\u{0}".into(),
        12 => "_".into(),
        13 => "false_@_".into(),
        14 => "true_27820001001@c.us_".into(),
        15 => "9".repeat(513).into(),
        16 => "@".repeat(200).into(),
        17 => "status@broadcast".into(),
        18 => "120363000000000001@g.us".into(),
        19 => "\u{202e}👩‍👩‍👧‍👦\u{fffd}\u{0}".repeat(50).into(),
        20 => json!([]),
        21 => json!({}),
        22 => json!([[[[[[[[1]]]]]]]]),
        23 => Value::Array(vec![json!({"status": "WORKING", "timestamp": "x"}); 300]),
        24 => json!({"low": -1, "high": 2147483647, "unsigned": true}),
        25 => (0..100).fold(json!(1), |inner, _| json!([inner])),
        26 => (0..100).fold(json!("x"), |inner, _| json!({"message": inner})),
        27 => json!([[], {}, null]),
        28 => json!({"error": {"message": 1, "type": [], "code": {}}}),
        29 => json!(vec![0; 3000]),
        30 => "<html>".into(),
        31 => "x".repeat(5000).into(),
        32 => "-0.0".into(),
        _ => json!({"_serialized": {"id": []}, "id": "x_y", "remote": {"_serialized": "a@b"}}),
    }
}

/// Changes one place in a value: takes it away, renames it, doubles it, or puts something odd there.
pub fn change(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(fields) if !fields.is_empty() && dice.throw(8) > 0 => {
            let name = fields.keys().nth(dice.throw(fields.len())).expect("it is one of them").clone();
            match dice.throw(12) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(name, odd(dice))),
                2 => {
                    let moved = fields.remove(&name).expect("it is there");
                    fields.insert(format!("{name}{name}"), moved);
                }
                _ => change(&mut fields[&name], dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.throw(4) > 0 => {
            let at = dice.throw(items.len());
            match dice.throw(12) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.reverse(),
                _ => change(&mut items[at], dice),
            }
        }
        Value::Number(number) if dice.throw(2) == 0 => *value = number.to_string().into(),
        Value::String(text) if dice.throw(2) == 0 => {
            let at = text.char_indices().map(|(at, _)| at).nth(dice.throw(text.chars().count())).unwrap_or(0);
            text.insert_str(at, ["_", "@", "\u{0}", "é", "\"", "."][dice.throw(6)]);
        }
        _ => *value = odd(dice),
    }
}

/// The last touch is on the text itself: what no JSON writer makes.
pub fn spoil(body: &mut Vec<u8>, dice: &mut Dice) {
    let quotes: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at).collect();
    let Some(&at) = quotes.get(dice.throw(quotes.len())) else { return };
    match dice.throw(2_000) {
        // Rarely: a value that is deeper, or longer, than anybody can want.
        0 => return drop(body.splice(at..at, b"[".repeat(50_000))),
        1 => return drop(body.splice(at..at, [&b"\"x\":["[..], &b"0,".repeat(50_000), b"0],"].concat())),
        _ => {}
    }
    match dice.throw(16) {
        0 => drop(body.splice(at + 1..at + 1, *br"\ud83d")),
        1 => drop(body.splice(at + 1..at + 1, *br"\udc4b\u0000")),
        2 => drop(body.splice(at + 1..at + 1, *b"\xff\xc0\x80")),
        3 => body.truncate(dice.throw(body.len())),
        4 => body[at] = b'[',
        5 => drop(body.splice(at..at, *b"\"event\":\"message.any\",")),
        6 => body.extend_from_within(at..),
        7 => body[at] = b"\x00{}[],:\\9"[dice.throw(9)],
        _ => {}
    }
}

/// How long this thread has been on a processor: what others do on the machine does not count.
#[allow(unsafe_code)]
fn worked() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock is one of POSIX's own, and the pointer is to a timespec of ours, which it fills.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(done, 0, "every system has this clock");
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("it is below a billion"))
}

/// What was read, how long it took, and how much memory it took.
pub struct Tally {
    what: String,
    begun: Instant,
    worked: Duration,
    slowest: Duration,
    largest: usize,
    pub read: usize,
    pub refused: usize,
    memory_kib: u64,
}

impl Tally {
    pub fn begin(what: &str) -> Tally {
        Tally {
            what: what.to_owned(),
            begun: Instant::now(),
            worked: Duration::ZERO,
            slowest: Duration::ZERO,
            largest: 0,
            read: 0,
            refused: 0,
            memory_kib: most_memory_kib(),
        }
    }

    /// Reads one input. A panic names it; so does one that takes long.
    pub fn take(&mut self, input: &[u8], read: impl FnOnce(&[u8]) -> bool) {
        let started = worked();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(input)));
        let took = worked() - started;
        let shown = || String::from_utf8_lossy(&input[..input.len().min(20_000)]).into_owned();
        match outcome {
            Ok(true) => self.read += 1,
            Ok(false) => self.refused += 1,
            Err(_) => panic!("{}: input {} panics: {}", self.what, self.read + self.refused, shown()),
        }
        assert!(took < Duration::from_secs(5), "{}: {took:?} for {}", self.what, shown());
        self.worked += took;
        self.slowest = self.slowest.max(took);
        self.largest = self.largest.max(input.len());
    }

    /// Says what was found. Memory is what the process has ever needed at once, more than before.
    pub fn end(self) {
        let all = self.read + self.refused;
        let grown = most_memory_kib().saturating_sub(self.memory_kib);
        println!(
            "{}: {all} inputs ({} read, {} refused) in {:.1} s; {:.0} µs of work each, the slowest {:.1} ms; the largest {} KiB; \
             memory grew by {:.1} MiB",
            self.what,
            self.read,
            self.refused,
            self.begun.elapsed().as_secs_f64(),
            self.worked.as_secs_f64() * 1e6 / all as f64,
            self.slowest.as_secs_f64() * 1e3,
            self.largest / 1024,
            grown as f64 / 1024.0,
        );
        assert!(grown < 256 * 1024, "{}: memory grew by {grown} KiB", self.what);
        // Two milliseconds each are far more than is needed, also without optimisation.
        let bound = Duration::from_millis(2) * u32::try_from(all).unwrap_or(u32::MAX);
        assert!(self.worked < bound, "{}: all took {:?}", self.what, self.worked);
    }
}

/// The most memory this process has had, where the system tells.
fn most_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Every place in a value where something can grow.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(fields) => {
            into.push(at.to_owned());
            fields.iter().for_each(|(name, inside)| places(inside, &format!("{at}/{}", escaped(name)), into));
        }
        Value::Array(items) => {
            into.push(at.to_owned());
            items.iter().take(1).for_each(|inside| places(inside, &format!("{at}/0"), into));
        }
        Value::String(_) => into.push(at.to_owned()),
        _ => {}
    }
}

/// The same value, with so many characters, items or fields in this place.
fn grown(value: &Value, at: &str, size: usize) -> Vec<u8> {
    let mut value = value.clone();
    match value.pointer_mut(at) {
        Some(Value::String(text)) => {
            let piece = if text.is_empty() { "x" } else { text.as_str() };
            *text = piece.chars().cycle().take(size).collect();
        }
        Some(Value::Array(items)) => {
            let item = items.first().cloned().unwrap_or(json!({}));
            let many = size / item.to_string().len().max(1) + 1;
            *items = vec![item; many];
        }
        // As bytes are written by some: numbers by number.
        Some(Value::Object(fields)) => {
            let more: Map<String, Value> = (0..size / 8).map(|at| (at.to_string(), 255.into())).collect();
            fields.extend(more);
        }
        _ => {}
    }
    value.to_string().into_bytes()
}

/// What is shorter says more of the machine than of the reader.
const NOISE: Duration = Duration::from_micros(400);

/// How many times as long it takes for eight times as much: linear is 8, quadratic 64, and more than 24 is a failure. The first
/// touch of fresh memory costs, too: what looks bad is looked at again.
pub fn eightfold(what: &str, took: impl Fn() -> [Duration; 2]) -> f64 {
    let mut worst = f64::MAX;
    for _ in 0..4 {
        let [small, large] = took();
        worst = worst.min(large.as_secs_f64() / small.max(NOISE).as_secs_f64());
        if worst <= 24.0 {
            return worst;
        }
    }
    panic!("{what} takes {worst:.0} times as long for 8 times as much");
}

/// The shortest of three.
pub fn best(mut read: impl FnMut()) -> Duration {
    let mut once = || {
        let started = worked();
        read();
        worked() - started
    };
    [once(), once(), once()].into_iter().min().unwrap_or_default()
}

/// So many in the tests, all of them when fuzzing.
pub fn at_most(most: usize) -> usize {
    if std::env::var_os("INDABA_FUZZ").is_some() { usize::MAX } else { most }
}

/// Reads captures blown up in each of their places, to 8 and to 64 KiB. `most` bounds the places in the tests.
pub fn sizes(what: &str, captures: &[Value], most: usize, read: impl Fn(&[u8])) {
    const SMALLEST: usize = 8 * 1024;
    let mut all = Vec::new();
    for capture in captures {
        let mut found = Vec::new();
        places(capture, "", &mut found);
        all.extend(found.into_iter().map(|at| (capture, at)));
    }
    // Evenly over all captures, whatever their number.
    let step = all.len().div_ceil(at_most(most).min(all.len().max(1))).max(1);
    let (mut tried, mut worst) = (0, (0.0, ""));
    for (capture, at) in all.iter().step_by(step) {
        let [small, large] = [1, 8].map(|times| grown(capture, at, SMALLEST * times));
        tried += 1;
        let name = format!("{what}: {at} of {capture:.300}");
        let times = eightfold(&name, || [best(|| read(&small)), best(|| read(&large))]);
        worst = if times > worst.0 { (times, at.as_str()) } else { worst };
    }
    println!("{what}: {tried} places blown up from 8 to 64 KiB; at most {:.1} times as long ({})", worst.0, worst.1);
}
