//! What people say: words, some of them often.
use super::mix;
use std::collections::HashSet;

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
pub fn words() -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashMap};

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
