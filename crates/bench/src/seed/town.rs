//! Who lives there, what they wrote and when: everything that the rows tell, from an index alone.
use super::{
    Batch, mix,
    rows::{Last, Person, Place, Row},
    words::words,
};
use crate::account::{Account, Number};
use anyhow::{Result, anyhow};
use indaba::{
    http::who::UserId,
    instances::InstanceId,
    search::{self, Doc, Kind},
};
use std::time::{SystemTime, UNIX_EPOCH};

/// How far back the oldest message lies.
const SPAN_MS: i64 = 180 * 86_400_000;

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
pub struct Town {
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
    pub fn new(conversations: u64, messages: u64, account: &Account, number: &Number) -> Result<Town> {
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

    pub fn people(&self, from: u64, to: u64) -> Batch {
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

    pub fn places(&self, from: u64, to: u64) -> Batch {
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

    pub fn messages(&self, from: u64, to: u64) -> Batch {
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
    pub fn counts(&self) -> Vec<(UserId, i64, i64)> {
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
    use std::collections::BTreeSet;

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
}
