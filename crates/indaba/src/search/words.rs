//! Text as the words it is found by. Both databases store just these words, so both find the same.
use crate::id::TenantId;
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// Longer words are cut: nobody types more of one.
const LONGEST: usize = 40;
/// More different words than a message of WhatsApp's greatest length holds in practice.
const MOST: usize = 1_000;
/// A word is also found by its first letters: these many of them are stored, and what is found is compared with all that was typed.
const STEMS: [usize; 2] = [2, 4];
/// The words of contacts are few, and many of them begin alike: names, and above all the phone numbers of a country.
const STEMS_OF_CONTACTS: [usize; 6] = [2, 3, 4, 6, 8, 10];

/// What is found, and by whose words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message.
    Message,
    /// A contact.
    Contact,
}

/// The words of a text in their order: lower case, without accents; scripts without spaces letter by letter.
pub fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut letters) = (Vec::new(), String::new(), 0);
    let mut take = |c: char| match c {
        '\u{300}'..='\u{36f}' => {} // an accent
        _ if stands_alone(c) => {
            all.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            all.push(c.into());
            letters = 0;
        }
        _ if c.is_alphanumeric() || is_mark(c) => {
            if letters < LONGEST {
                word.push(c);
            }
            letters += 1;
        }
        _ => {
            all.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            letters = 0;
        }
    };
    match text.is_ascii() {
        true => text.chars().for_each(|c| take(c.to_ascii_lowercase())), // the same, without tables
        false => text.nfd().flat_map(char::to_lowercase).for_each(take),
    }
    all.extend((!word.is_empty()).then_some(word));
    all
}

/// Chinese and Japanese write no spaces.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Vowel signs inside words of Indic and Semitic scripts, which are no letters to Unicode.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{981}'..='\u{983}'
        | '\u{9bc}'..='\u{9cd}' | '\u{a3c}'..='\u{a4d}' | '\u{abc}'..='\u{acd}' | '\u{b3c}'..='\u{b57}' | '\u{bbe}'..='\u{bcd}' | '\u{c3e}'..='\u{c56}'
        | '\u{cbc}'..='\u{cd6}' | '\u{d3b}'..='\u{d4d}' | '\u{e31}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{200c}'..='\u{200d}')
}

/// How words are stored: what they begin with keeps tenants and kinds apart.
pub(super) struct Spelling(String, &'static [usize]);

impl Spelling {
    /// Eight letters of the tenant and one of the kind. Tenants that share letters are told apart when the rows are looked up.
    pub fn of(tenant: TenantId, kind: Kind) -> Spelling {
        let letters = crate::id::encode(&tenant.0);
        let (kind, stems) = if kind == Kind::Message { ('m', &STEMS[..]) } else { ('c', &STEMS_OF_CONTACTS[..]) };
        Spelling(format!("{}{kind}", &letters[letters.len() - 8..]), stems)
    }

    /// The whole word.
    pub fn word(&self, word: &str) -> String {
        format!("{}w{word}", self.0)
    }

    /// A piece of time that contains the moment, `level` says how long it is: PostgreSQL looks into the newest pieces first.
    pub fn piece(&self, level: u32, number: i64) -> String {
        format!("{}t{level}x{number}", self.0)
    }

    /// All that a text is stored as, with a space between two.
    pub fn all(&self, words: &[String]) -> String {
        let mut seen = HashSet::new();
        let different = words.iter().map(String::as_str).filter(|word| seen.insert(*word)).take(MOST);
        let stems = |word| self.1.iter().filter_map(move |letters| Some(('s', stem(word, *letters)?)));
        let mut all: Vec<(char, &str)> =
            different.flat_map(|word| std::iter::once(('w', word)).chain(stems(word))).collect();
        all.sort_unstable();
        all.dedup();
        let mut text = String::with_capacity(all.iter().map(|(_, part)| self.0.len() + part.len() + 2).sum());
        for (how, part) in all {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&self.0);
            text.push(how);
            text.push_str(part);
        }
        text
    }
}

/// The first letters of a word; `None` if it has fewer.
fn stem(word: &str, letters: usize) -> Option<&str> {
    let (at, last) = word.char_indices().nth(letters - 1)?;
    Some(&word[..at + last.len_utf8()])
}

/// What somebody looks for: all these words, the last of them perhaps only begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    whole: Vec<String>,
    begun: Option<String>,
}

impl Query {
    /// Reads what was typed; nothing in it is an operator. `None` if there is no word in it. At most eight words count.
    pub fn read(text: &str) -> Option<Query> {
        let text: String = text.chars().take(200).collect();
        let mut whole = words(&text);
        whole.truncate(8);
        let ends = text.chars().next_back().is_some_and(|c| !c.is_alphanumeric());
        let begun = if ends { None } else { whole.pop() };
        (!whole.is_empty() || begun.is_some()).then_some(Query { whole, begun })
    }

    /// A phone number, or the beginning of one, in any of the ways in which people write it.
    pub fn phone(text: &str) -> Option<Query> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let written = text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
        // 00 before a whole number is how a + is dialled; before a few last digits it is two of them
        let dialled = digits.strip_prefix("00").filter(|rest| rest.len() >= 7).unwrap_or(&digits);
        (written && digits.len() >= 3).then(|| Query { whole: Vec::new(), begun: Some(dialled.to_owned()) })
    }

    /// What must be stored with a text that fits: at least this, [`Query::fits`] has the last word.
    pub(super) fn lexemes(&self, spelling: &Spelling) -> Vec<String> {
        let begun = self.begun.iter().map(|word| {
            let stem = spelling.1.iter().rev().find_map(|letters| stem(word, *letters));
            // a single letter is looked for as a word
            stem.map_or_else(|| spelling.word(word), |stem| format!("{}s{stem}", spelling.0))
        });
        self.whole.iter().map(|word| spelling.word(word)).chain(begun).collect()
    }

    /// Whether a text has all the words.
    pub fn fits(&self, text: &str) -> bool {
        self.fits_words(&words(text))
    }

    pub(crate) fn fits_words(&self, has: &[String]) -> bool {
        self.whole.iter().all(|word| has.contains(word))
            && self.begun.iter().all(|begun| has.iter().any(|word| word.starts_with(begun.as_str())))
    }

    /// Where in the text the first word that was looked for begins, in bytes.
    pub fn place(&self, text: &str) -> Option<usize> {
        let starts = text.char_indices().filter(|(at, c)| {
            let before = text[..*at].chars().next_back();
            c.is_alphanumeric() && !before.is_some_and(char::is_alphanumeric)
        });
        let mut starts = starts.map(|(at, _)| at);
        starts.find(|at| {
            let end = text[*at..].find(|c: char| !c.is_alphanumeric() && !is_mark(c)).map_or(text.len(), |n| at + n);
            let here = words(&text[*at..end]);
            here.first().is_some_and(|word| {
                self.whole.contains(word) || self.begun.iter().any(|begun| word.starts_with(begun.as_str()))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_accents_do_not_matter() {
        assert_eq!(words("Héllo, WÖRLD! it's 3-bed"), ["hello", "world", "it", "s", "3", "bed"]);
        assert_eq!(words("cafe\u{301} naïve Ñandú"), ["cafe", "naive", "nandu"]);
        assert_eq!(words("こんにちは abc"), ["こ", "ん", "に", "ち", "は", "abc"]);
        assert_eq!(words("हिन्दी"), ["हिन्दी"]);
        assert_eq!(words("\u{1F600} \" * NEAR tenant:"), ["near", "tenant"]);
        assert_eq!(words(&"x".repeat(99)), ["x".repeat(40)]);
        assert!(words("\0\u{202e} …").is_empty());
    }

    #[test]
    fn the_last_word_may_be_only_begun() {
        let text = "We have two appointments on Thursday";
        let fits = |query: &str| Query::read(query).is_some_and(|query| query.fits(text));
        for query in ["appoin", "a", "two appointments", "thursday two", "THÜRS", "two "] {
            assert!(fits(query), "{query}");
        }
        for query in ["ppoint", "appoin ", "two friday", "thursdays"] {
            assert!(!fits(query), "{query}");
        }
        assert_eq!(Query::read("\"* ()"), None);
        assert_eq!(Query::read("").map(|_| ()), None);
    }

    #[test]
    fn what_is_looked_for_is_among_what_was_stored() {
        let spelling = Spelling::of(TenantId([7; 16]), Kind::Message);
        let text = spelling.all(&words("The kitchen of Flat 3, Mowbray"));
        let stored: Vec<&str> = text.split(' ').collect();
        for query in ["kit", "kitche", "kitchen", "fl", "3", "mowbray flat", "flat mowb"] {
            let query = Query::read(query).unwrap();
            assert!(query.lexemes(&spelling).iter().all(|lexeme| stored.contains(&lexeme.as_str())), "{query:?}");
        }
        for lexeme in &stored {
            assert!(lexeme.chars().all(char::is_alphanumeric), "{lexeme} would need quotes");
        }
        let other = Spelling::of(TenantId([8; 16]), Kind::Message).all(&words("kitchen"));
        assert!(other.split(' ').all(|lexeme| !stored.contains(&lexeme)), "tenants share no word");
    }

    #[test]
    fn of_an_endless_text_the_beginning_is_found() {
        let spelling = Spelling::of(TenantId([7; 16]), Kind::Message);
        let text = format!("zebra {}", (0..2 * MOST).map(|n| format!("a{n} a{n}")).collect::<Vec<_>>().join(" "));
        let stored = spelling.all(&words(&text));
        let has = |word: &str| stored.split(' ').any(|lexeme| lexeme == spelling.word(word));
        assert!(has("zebra") && has(&format!("a{}", MOST - 2)) && !has(&format!("a{}", MOST + 1)));
    }

    #[test]
    fn a_contact_is_looked_for_by_nearly_all_that_was_typed() {
        let spelling = Spelling::of(TenantId([7; 16]), Kind::Contact);
        let text = spelling.all(&words("Tabitha 27820001001"));
        let stored: Vec<&str> = text.split(' ').collect();
        for (query, letters) in [("tab", 3), ("tabith", 6), ("27820001001", 10), ("2782000", 6)] {
            let lexemes = Query::read(query).unwrap().lexemes(&spelling);
            assert_eq!(lexemes, [format!("{}s{}", spelling.0, &query[..letters])]);
            assert!(stored.contains(&lexemes[0].as_str()), "{query}");
        }
    }

    #[test]
    fn a_phone_number_is_one_word_however_it_is_written() {
        let query = Query::phone("+27 (82) 000-1001").unwrap();
        assert!(query.fits_words(&["27820001001".into()]));
        assert_eq!(Query::phone("27 Main Road"), None);
        assert_eq!(Query::phone("12"), None);
    }

    #[test]
    fn the_place_is_that_of_the_word() {
        let text = "Où est la Zoë's café?";
        assert_eq!(Query::read("cafe").unwrap().place(text), text.find("café"));
        assert_eq!(Query::read("zo").unwrap().place(text), text.find("Zoë"));
        assert_eq!(Query::read("nothing").unwrap().place(text), None);
    }
}
