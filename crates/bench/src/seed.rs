//! A workspace with many conversations, as fast as the database takes them: for the benchmark of pages, and for browser tests.
//!
//! The person, the number and the key are made through the API, all else is written in large statements. Everything follows from the
//! index of a message, so two runs differ only in ids of the person and the number, and in the time. Nothing in it is real.
use crate::{
    account::{Account, Number},
    serve,
};
use anyhow::{Result, anyhow, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use indaba::{
    Error,
    db::{Arg, TenantTx, Value},
    http::who::UserId,
    id::TenantId,
    instances::InstanceId,
    search::{self, Doc, Kind},
    serve::{Part, Server},
};
use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What was made.
pub struct Seeded {
    /// Who signs in.
    pub account: Account,
    /// The number that all conversations are on.
    pub number: Number,
    /// How long the rows took.
    pub took: Duration,
}

/// Rows of one statement.
const ROWS: u64 = 500;
/// Statements that are made while one is written.
const AHEAD: usize = 4;
/// How far back the oldest message lies.
const SPAN_MS: i64 = 180 * 86_400_000;

/// Fills the empty data directory `dir` (or the database that the environment names) with conversations and messages; every conversation has
/// a message as long as there are enough. Errors: somebody has signed up there already.
pub async fn seed(dir: &Path, conversations: u64, messages: u64, settings: &[(&str, String)]) -> Result<Seeded> {
    ensure!(conversations > 0, "at least one conversation");
    let simulator = indaba_simulator::Simulator::start(indaba_simulator::Config::fast()).await?;
    let mut all = vec![
        ("INDABA_PRIVATE_HOSTS", simulator.address().to_string()),
        ("INDABA_DATABASE_SQLITE_SYNC", "normal".to_owned()), // a power cut while seeding means to seed again
    ];
    all.extend_from_slice(settings);
    let server = Server::start(serve::config(dir, &all)?, Part::All).await.map_err(|e| anyhow!(e))?;
    let url = format!("http://{}", server.address);
    let account = Account::sign_up(&url).await?;
    let number = Number::link(&url, &account.key, simulator.url()).await?;
    number.connected(&url, &account.key).await?;

    let start = Instant::now();
    let tenant: TenantId = account.tenant.parse().map_err(|_| anyhow!("a tenant: {}", account.tenant))?;
    let town = Arc::new(Town::new(conversations, messages, &account, &number)?);
    let db = &server.app.db;
    let write = async |count: u64, what: fn(&Town, u64, u64) -> Batch| -> Result<()> {
        let batches = stream::iter((0..count).step_by(ROWS as usize)).map(|from| {
            let batch = what(&town, from, (from + ROWS).min(count));
            db.write(tenant, move |tx| batch.write(tx))
        });
        Ok(batches.buffered(AHEAD).try_for_each(|()| async { Ok(()) }).await?)
    };
    write(conversations, Town::people).await?;
    write(conversations, Town::places).await?;
    write(messages, Town::messages).await?;
    let counts = town.counts();
    db.write(tenant, move |tx| {
        tx.insert_only(
            "insert into conversation_counts (tenant_id, assignee_id, open, unread) values ($1, $2, $3, $4)
             on conflict (tenant_id, assignee_id) do update set open = excluded.open, unread = excluded.unread",
            counts.iter().map(|(assignee, open, unread)| [assignee.arg(), open.arg(), unread.arg()]),
        )
    })
    .await?;
    let took = start.elapsed();
    server.stop().await;
    simulator.stop().await;
    Ok(Seeded { account, number, took })
}

/// Scrambles a number: the same one always in the same way.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A UUIDv7 as the server makes them, for the `n`th thing of its kind.
fn id(at_ms: i64, n: u64, kind: u64) -> [u8; 16] {
    let (high, low) = ((n >> 10) & 0xfff, n & 0x3ff);
    let random = mix(n ^ (kind << 56)) & 0x000f_ffff_ffff_ffff;
    let bits = (u128::from(at_ms.unsigned_abs() & 0xffff_ffff_ffff) << 80)
        | (0x7 << 76)
        | (u128::from(high) << 64)
        | (0b10 << 62)
        | (u128::from(low) << 52)
        | u128::from(random);
    bits.to_be_bytes()
}

/// Everything about all conversations that cannot be told from an index alone.
struct Town {
    conversations: u64,
    messages: u64,
    begins_ms: i64,
    user: UserId,
    instance: InstanceId,
    words: Vec<String>,
    /// Of a word for each of 65,536 throws: few words are said often, most seldom.
    throws: Vec<u16>,
    /// Of each conversation: its last message (None: it has none) and how many inbound ones it ends with.
    last: Vec<(Option<u32>, u32)>,
}

impl Town {
    fn new(conversations: u64, messages: u64, account: &Account, number: &Number) -> Result<Town> {
        let user = account.user.parse().map_err(|_| anyhow!("a user: {}", account.user))?;
        let instance = number.id.parse().map_err(|_| anyhow!("an instance: {}", number.id))?;
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let words = words();
        let weights: Vec<f64> = (1..=words.len()).map(|rank| 1.0 / rank as f64).collect();
        let whole: f64 = weights.iter().sum();
        let mut throws = Vec::with_capacity(1 << 16);
        for (word, weight) in weights.iter().enumerate() {
            let times = (weight / whole * f64::from(1 << 16)).ceil() as usize;
            throws.extend(std::iter::repeat_n(word as u16, times));
        }
        let mut town =
            Town { conversations, messages, begins_ms: now - SPAN_MS, user, instance, words, throws, last: Vec::new() };
        town.last = vec![(None, 0); usize::try_from(conversations)?];
        for n in 0..messages {
            let inbound = town.is_inbound(n);
            let last = &mut town.last[town_place(n, conversations)];
            *last = (Some(u32::try_from(n)?), if inbound { last.1 + 1 } else { 0 });
        }
        Ok(town)
    }

    /// When message `n` was written.
    fn at(&self, n: u64) -> i64 {
        self.begins_ms + ((n as f64 + 1.0) / (self.messages as f64 + 1.0) * SPAN_MS as f64) as i64
    }

    fn is_inbound(&self, n: u64) -> bool {
        n < self.conversations || mix(n ^ 0xd1) % 100 < 55
    }

    /// When conversation `c` began: its first message is message `c`.
    fn began(&self, c: u64) -> i64 {
        if c < self.messages { self.at(c) } else { self.begins_ms }
    }

    fn contact(&self, c: u64) -> [u8; 16] {
        id(self.began(c), c, 1)
    }

    fn conversation(&self, c: u64) -> [u8; 16] {
        id(self.began(c), c, 2)
    }

    fn message(&self, n: u64) -> [u8; 16] {
        id(self.at(n), n, 3)
    }

    fn name(c: u64) -> String {
        let throw = mix(c ^ 0xa5) as usize;
        format!("{} {}", FIRST[throw % FIRST.len()], FAMILY[(throw >> 16) % FAMILY.len()])
    }

    fn phone(c: u64) -> String {
        format!("+27{:09}", 710_000_000 + c)
    }

    fn body(&self, n: u64) -> String {
        let (mut dice, mut text) = (mix(n ^ 0xb0d1), String::new());
        let length = 4 + dice % 14;
        for at in 0..length {
            dice = mix(dice);
            let word = &self.words[usize::from(self.throws[dice as usize % self.throws.len()])];
            if at == 0 {
                text.extend(word.chars().take(1).flat_map(char::to_uppercase));
                text.push_str(&word[1..]);
            } else {
                text.push(' ');
                text.push_str(word);
            }
        }
        if dice % 50 == 0 {
            text.push_str(&format!(", order {}", 100_000 + mix(n) % 900_000));
        }
        text.push(if dice % 3 == 0 { '?' } else { '.' });
        text
    }

    fn is_open(c: u64) -> bool {
        mix(c ^ 0x0be4) % 10 < 7
    }

    fn unread(&self, c: u64) -> i64 {
        let unseen = Town::is_open(c) && mix(c ^ 0x5ee4).is_multiple_of(3);
        if unseen { self.last[c as usize].1.into() } else { 0 }
    }

    fn assignee(&self, c: u64) -> Option<UserId> {
        mix(c ^ 0xa551).is_multiple_of(5).then_some(self.user)
    }

    fn people(&self, from: u64, to: u64) -> Batch {
        let person = |c| {
            let (name, phone, at) = (Town::name(c), Town::phone(c), self.began(c));
            let mut words = search::words(&name);
            let key = words.join(" ");
            words.extend([
                phone[1..].to_owned(),
                phone[phone.len() - 7..].to_owned(),
                phone[phone.len() - 4..].to_owned(),
            ]);
            let last = self.last[c as usize].0.map_or(at, |n| self.at(n.into()));
            (Person { id: self.contact(c), name, phone, key, at, last }, words)
        };
        let (people, words): (Vec<Person>, Vec<Vec<String>>) = (from..to).map(person).unzip();
        let docs =
            people.iter().zip(words).map(|(person, words)| Doc { kind: Kind::Contact, id: person.id, words }).collect();
        Batch::People(people, docs)
    }

    fn places(&self, from: u64, to: u64) -> Batch {
        let place = |c: u64| {
            let last = self.last[c as usize].0.map(u64::from);
            Place {
                id: self.conversation(c),
                contact: self.contact(c),
                instance: self.instance,
                address: Town::phone(c),
                open: Town::is_open(c),
                assignee: self.assignee(c),
                unread: self.unread(c),
                began: self.began(c),
                last_at: last.map_or(self.began(c), |n| self.at(n)),
                last: last.map(|n| Last {
                    id: self.message(n),
                    text: self.body(n),
                    inbound: self.is_inbound(n),
                    user: self.user,
                }),
            }
        };
        Batch::Places((from..to).map(place).collect())
    }

    fn messages(&self, from: u64, to: u64) -> Batch {
        let message = |n: u64| {
            let place = town_place(n, self.conversations) as u64;
            let (inbound, body) = (self.is_inbound(n), self.body(n));
            let author = if inbound { self.contact(place) } else { self.user.0 };
            let doc = Doc { kind: Kind::Message, id: self.message(n), words: search::words(&body) };
            let provider_id = format!("3EB05EED{n:012}");
            (
                Row {
                    place: self.conversation(place),
                    instance: self.instance,
                    inbound,
                    author,
                    body,
                    provider_id,
                    at: self.at(n),
                },
                doc,
            )
        };
        let (rows, docs) = (from..to).map(message).unzip();
        Batch::Messages(rows, docs)
    }

    /// Open, and open and unread, of everyone.
    fn counts(&self) -> Vec<(UserId, i64, i64)> {
        let mut counts = vec![(UserId::NIL, 0, 0), (self.user, 0, 0)];
        for c in (0..self.conversations).filter(|&c| Town::is_open(c)) {
            let of = &mut counts[usize::from(self.assignee(c).is_some())];
            *of = (of.0, of.1 + 1, of.2 + i64::from(self.unread(c) > 0));
        }
        counts
    }
}

/// In which conversation message `n` is: the first of each come first, then a few conversations have most of them.
fn town_place(n: u64, conversations: u64) -> usize {
    if n < conversations {
        return n as usize;
    }
    let part = (mix(n ^ 0x91ace) >> 11) as f64 / (1u64 << 53) as f64;
    ((part * part * conversations as f64) as u64).min(conversations - 1) as usize
}

struct Person {
    id: [u8; 16],
    name: String,
    phone: String,
    key: String,
    at: i64,
    last: i64,
}

struct Place {
    id: [u8; 16],
    contact: [u8; 16],
    instance: InstanceId,
    address: String,
    open: bool,
    assignee: Option<UserId>,
    unread: i64,
    began: i64,
    last_at: i64,
    last: Option<Last>,
}

struct Last {
    id: [u8; 16],
    text: String,
    inbound: bool,
    user: UserId,
}

struct Row {
    place: [u8; 16],
    instance: InstanceId,
    inbound: bool,
    author: [u8; 16],
    body: String,
    provider_id: String,
    at: i64,
}

enum Batch {
    People(Vec<Person>, Vec<Doc>),
    Places(Vec<Place>),
    Messages(Vec<Row>, Vec<Doc>),
}

impl Batch {
    fn write(&self, tx: &mut TenantTx) -> Result<(), Error> {
        let text = Value::Text;
        match self {
            Batch::People(people, docs) => {
                tx.insert_only(
                    "insert into contacts (tenant_id, id, name, sort_key, phone, status, last_message_at, created_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8)",
                    people.iter().map(|of| {
                        [Value::Bytes(&of.id), text(&of.name), text(&of.key), text(&of.phone), text("active"), of.last.arg(), of.at.arg()]
                    }),
                )?;
                tx.insert_only(
                    "insert into contact_identities (tenant_id, kind, value, scope, contact_id, created_at) values ($1, $2, $3, $4, $5, $6)",
                    people.iter().map(|of| [text("phone"), text(&of.phone), InstanceId::NIL.arg(), Value::Bytes(&of.id), of.at.arg()]),
                )?;
                search::add(tx, docs)
            }
            Batch::Places(places) => tx
                .insert_only(
                    "insert into conversations (tenant_id, id, instance_id, contact_id, address, state, assignee_id, unread_count, unread, last_inbound_at,
                                                window_ends_at, last_message_id, last_message_kind, last_message_preview, last_message_direction,
                                                last_message_state, last_message_author, last_message_author_id, last_message_at, created_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
                    places.iter().map(Place::row),
                )
                .map(drop),
            Batch::Messages(rows, docs) => {
                tx.insert_only(
                    "insert into messages (tenant_id, id, conversation_id, instance_id, direction, author, author_id, kind, body, state, provider_id,
                                           provider_ref, created_at, sent_at, read_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                    rows.iter().zip(docs).map(|(of, doc)| {
                        let (direction, author, state) = of.words();
                        let moment = if of.inbound { Value::Null } else { of.at.arg() };
                        [
                            Value::Bytes(&doc.id),
                            Value::Bytes(&of.place),
                            of.instance.arg(),
                            text(direction),
                            text(author),
                            Value::Bytes(&of.author),
                            text("text"),
                            text(&of.body),
                            text(state),
                            text(&of.provider_id),
                            text(&of.provider_id),
                            of.at.arg(),
                            moment,
                            moment,
                        ]
                    }),
                )?;
                search::add(tx, docs)
            }
        }
    }
}

impl Row {
    fn words(&self) -> (&'static str, &'static str, &'static str) {
        if self.inbound { ("inbound", "contact", "received") } else { ("outbound", "user", "read") }
    }
}

impl Place {
    fn row(&self) -> [Value<'_>; 19] {
        let last = |value: fn(&Last) -> Value| self.last.as_ref().map_or(Value::Null, value);
        let inbound = self.last.as_ref().is_some_and(|last| last.inbound);
        let heard = if inbound { self.last_at.arg() } else { self.began.arg() };
        [
            Value::Bytes(&self.id),
            self.instance.arg(),
            Value::Bytes(&self.contact),
            Value::Text(&self.address),
            Value::Text(if self.open { "open" } else { "closed" }),
            self.assignee.arg(),
            self.unread.arg(),
            Value::Bool(self.unread > 0),
            heard,
            Value::Null,
            last(|of| Value::Bytes(&of.id)),
            last(|_| Value::Text("text")),
            last(|of| Value::Text(&of.text)),
            last(|of| Value::Text(if of.inbound { "inbound" } else { "outbound" })),
            last(|of| Value::Text(if of.inbound { "received" } else { "read" })),
            last(|of| Value::Text(if of.inbound { "contact" } else { "user" })),
            if inbound { Value::Bytes(&self.contact) } else { last(|of| of.user.arg()) },
            self.last_at.arg(),
            self.began.arg(),
        ]
    }
}

/// Words to look for: said often, now and then, seldom.
pub fn to_find() -> [Vec<String>; 3] {
    let words = words();
    let some = |from: usize, to: usize| {
        words[from..to.min(words.len())].iter().step_by(((to - from) / 20).max(1)).cloned().collect()
    };
    [some(0, 40), some(100, 300), some(900, 2_900)]
}

/// Some three thousand words, the most frequent first: those that people say to a shop, then made-up ones. Like those of a language they
/// begin in many ways, some of which are liked better than others: the first four letters stand for two words or three, seldom for ten.
fn words() -> Vec<String> {
    let mut words: Vec<String> = SAID.split_whitespace().map(str::to_owned).collect();
    let mut known: HashSet<String> = words.iter().cloned().collect();
    words.retain(|word| known.remove(word));
    known.extend(words.iter().cloned());
    let mut dice = 0x5eed;
    // the earlier ones of a list come up more often
    let mut pick = |from: &[&'static str]| {
        dice = mix(dice);
        let part = (dice >> 11) as f64 / (1u64 << 53) as f64;
        from[((part.powf(1.4) * from.len() as f64) as usize).min(from.len() - 1)]
    };
    while words.len() < 3_000 {
        let syllables = 2 + words.len() / 1_500;
        let mut word = String::new();
        for _ in 0..syllables {
            word.extend([pick(&ONSETS), pick(&VOWELS), pick(&CODAS)]);
        }
        if known.insert(word.clone()) {
            words.push(word);
        }
    }
    words
}

const ONSETS: [&str; 28] = [
    "s", "t", "p", "m", "k", "l", "d", "b", "r", "n", "f", "h", "", "g", "w", "v", "st", "pr", "tr", "ch", "sh", "gr",
    "cl", "br", "th", "sp", "z", "y",
];
const VOWELS: [&str; 9] = ["a", "e", "i", "o", "u", "ai", "ee", "ou", "ia"];
const CODAS: [&str; 14] = ["", "n", "r", "", "l", "s", "t", "", "m", "nd", "k", "ng", "st", "p"];

const SAID: &str = "the you to is and we a of for it can in on have please thank are yes when good this that not with do be at will my your \
    me what how much today morning tomorrow flat house available price see know like would come time there if still from or but here \
    hello great ok no our was they send which one two need could now office week day call number rent month afternoon viewing area bedroom \
    kitchen garage garden parking pool view balcony street road keys lease deposit owner agent buyer seller offer contract lawyer bank loan \
    bond transfer fees invoice payment paid receipt order delivery courier shop stock size colour blue green black white small large medium \
    shirt dress shoes jacket socks gift voucher refund return exchange broken repair guarantee photo picture video voice document form \
    passport licence copy signed stamp email address name phone website page link code password account balance statement cash card \
    transaction failed again sorry wait late early closed open weekend saturday sunday monday tuesday wednesday thursday friday holiday \
    school children dog cat family husband wife mother father friend people doctor clinic dentist appointment cancel change confirm \
    booking table lunch dinner coffee menu vegetarian allergic peanuts birthday cake party music room floor building security gate fence \
    water power electricity solar battery internet fibre signal bus train taxi airport flight hotel beach mountain rain sun wind cold warm";
const FIRST: [&str; 40] = [
    "Thandiwe", "Sipho", "Naledi", "Pieter", "Aisha", "Johan", "Lerato", "Ahmed", "Zanele", "Michael", "Fatima",
    "Kagiso", "Maria", "David", "Nomsa", "Yusuf", "Anele", "Grace", "Tebogo", "Emma", "Bongani", "Chipo", "Ravi",
    "Priya", "Kwame", "Amara", "Tariq", "Lindiwe", "Jabu", "Sarah", "Themba", "Wanjiru", "Otieno", "Esther", "Farai",
    "Rudo", "Hassan", "Miriam", "Sizwe", "Palesa",
];
const FAMILY: [&str; 40] = [
    "Mokoena",
    "Dlamini",
    "Nkosi",
    "van Wyk",
    "Patel",
    "Botha",
    "Khumalo",
    "Naidoo",
    "Mahlangu",
    "Smith",
    "Jacobs",
    "Molefe",
    "Pretorius",
    "Ndlovu",
    "Adams",
    "Zulu",
    "Moyo",
    "Banda",
    "Okafor",
    "Mensah",
    "Kamau",
    "Odhiambo",
    "Phiri",
    "Tembo",
    "Hassan",
    "Abdi",
    "Govender",
    "Meyer",
    "Sithole",
    "Mabaso",
    "Chauke",
    "Maseko",
    "Ncube",
    "Dube",
    "Sibanda",
    "Fourie",
    "Williams",
    "Cele",
    "Radebe",
    "Tshabalala",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashMap};

    #[test]
    fn everybody_has_a_message_and_few_have_most() {
        let mut count = vec![0; 1000];
        (0..10_000).for_each(|n| count[town_place(n, 1000)] += 1);
        assert!(count.iter().all(|&of| of > 0));
        assert!(count[..250].iter().sum::<i32>() > 4_500, "a quarter has about half");
    }

    #[test]
    fn ids_are_uuids_of_version_7_and_differ() {
        let all: BTreeSet<[u8; 16]> = (0..5_000).map(|n| id(1_795_150_000_000, n, 3)).collect();
        assert_eq!(all.len(), 5_000);
        assert!(all.iter().all(|id| id[6] >> 4 == 7 && id[8] >> 6 == 2));
    }

    #[test]
    fn there_are_words_of_every_frequency_and_they_begin_in_many_ways() {
        let words = words();
        let different: BTreeSet<&String> = words.iter().collect();
        assert_eq!((words.len(), different.len()), (3_000, 3_000));
        let mut begin: HashMap<String, usize> = HashMap::new();
        words.iter().for_each(|word| *begin.entry(word.chars().take(4).collect()).or_default() += 1);
        let most = begin.values().max().unwrap();
        assert!(begin.len() > 1_000 && (4..=40).contains(most), "{} beginnings, {most} words with one", begin.len());
        assert!(to_find().iter().all(|of| of.len() >= 20));
    }
}
