//! Letters drawn at random: of tokens, codes and traces.

use rand::RngExt as _;

/// So many of these letters.
pub fn letters(count: usize, of: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..count).map(|_| char::from(of[rng.random_range(0..of.len())])).collect()
}
