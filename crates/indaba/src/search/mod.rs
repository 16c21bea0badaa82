//! Full-text search: which of a tenant's messages or contacts have these words, the newest first.
//!
//! Words are made here ([`words`]) and stored beside their id; SQLite keeps them in FTS5, PostgreSQL as a `tsvector` under GIN. A
//! prefix is never expanded by the database, which would read everything that begins with it: the first letters (of messages two and four) are
//! stored as words of their own. So a search costs what it finds, not what there is.
mod words;

pub use words::{Kind, Query, words};

use crate::{
    Result,
    clock::Time,
    db::{Arg, Dialect, TenantRead, TenantTx, Texts},
};
use words::Spelling;

/// Something to be found.
#[derive(Clone, Debug)]
pub struct Doc {
    /// What it is.
    pub kind: Kind,
    /// Its id, a UUIDv7: the newest come first.
    pub id: [u8; 16],
    /// Its words, from [`words`].
    pub words: Vec<String>,
}

/// Stores the words of many; those that were there under the same id are replaced only after [`remove`].
pub fn add(tx: &mut TenantTx, docs: &[Doc]) -> Result<()> {
    let on = tx.dialect();
    let tenant = tx.tenant();
    let mut rows: Vec<(i64, &[u8; 16], String)> = Vec::with_capacity(docs.len());
    for doc in docs.iter().filter(|doc| !doc.words.is_empty()) {
        let spelling = Spelling::of(tenant, doc.kind);
        let mut lexemes = spelling.all(&doc.words);
        if on == Dialect::Postgres {
            let at = moment(&doc.id);
            for level in LEVELS {
                lexemes.extend([" ", &spelling.piece(level, at >> level)]);
            }
        }
        rows.push((number(&doc.id), &doc.id, lexemes));
    }
    match on {
        Dialect::Sqlite => {
            rows.sort_unstable_by_key(|row| row.0); // FTS5 writes a segment whenever the number falls back
            tx.insert_only(
                Texts::sqlite("insert or replace into search_words (tenant_id, rowid, words) values ($1, $2, $3)"),
                rows.iter().map(|(number, _, words)| [number.arg(), words.arg()]),
            )
        }
        Dialect::Postgres => tx.insert_only(
            Texts::postgres("insert into search_words (tenant, id, words) values ($1, $2, array_to_tsvector(string_to_array($3::text, ' ')))
             on conflict (tenant, id) do nothing"),
            rows.iter().map(|(_, id, words)| [id[..].arg(), words.arg()]),
        ),
    }
    .map(drop)
}

/// Forgets the words of these.
pub fn remove(tx: &mut TenantTx, ids: &[[u8; 16]]) -> Result<()> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let numbers: Vec<i64> = ids.iter().map(number).collect();
            tx.run_for(
                Texts::sqlite("delete from search_words where tenant_id = $1 and rowid = $2"),
                numbers.iter().map(|number| [number.arg()]),
            )
        }
        Dialect::Postgres => tx.run_for(
            Texts::postgres("delete from search_words where tenant = $1 and id = $2"),
            ids.iter().map(|id| [id[..].arg()]),
        ),
    }
    .map(drop)
}

/// Up to `limit` ids older than `before` whose words may fit, the newest first. Look each up in its own table and ask
/// [`Query::fits`]; on SQLite only the first 74 bits of an id are told, the rest is zero (see [`span`]).
fn find(tx: &mut TenantRead, kind: Kind, query: &Query, before: [u8; 16], limit: i64) -> Result<Vec<[u8; 16]>> {
    let spelling = Spelling::of(tx.tenant(), kind);
    let lexemes = query.lexemes(&spelling);
    match tx.dialect() {
        Dialect::Sqlite => {
            let quoted: Vec<String> = lexemes.iter().map(|lexeme| format!("\"{lexeme}\"")).collect();
            let found: Vec<(i64,)> = tx.all(
                Texts::sqlite(
                    "select rowid from search_words
                  where search_words match $2 and rowid < $3 and tenant_id = $1
                  order by rowid desc
                  limit $4",
                ),
                args![quoted.join(" AND "), number(&before), limit],
            )?;
            Ok(found.into_iter().map(|(number,)| id_of(number)).collect())
        }
        Dialect::Postgres => pieces(tx, &spelling, &lexemes, before, limit),
    }
}

/// Rows that are looked at for one answer at most, and how many at once: when a word is only begun, not all that is found fits.
const MOST: usize = 2_000;
const STEPS: std::ops::RangeInclusive<usize> = 20..=500;

/// Goes from `before` to ever older ids whose words may fit. `take` looks some up and says whether it has enough; about `wanted` are.
pub fn walk(
    tx: &mut TenantRead,
    kind: Kind,
    query: &Query,
    before: [u8; 16],
    wanted: usize,
    mut take: impl FnMut(&mut TenantRead, &[[u8; 16]]) -> Result<bool>,
) -> Result<()> {
    let (mut last, mut looked, mut step) = (before, 0, wanted.clamp(*STEPS.start(), *STEPS.end()));
    while looked < MOST {
        let ids = find(tx, kind, query, last, i64::try_from(step).unwrap_or(i64::MAX))?;
        let Some(oldest) = ids.last().copied() else { return Ok(()) };
        if take(tx, &ids)? || ids.len() < step {
            return Ok(());
        }
        looked += ids.len();
        (last, step) = (oldest, (step * 2).min(*STEPS.end())); // asking costs as well: the more seldom something fits, the less often
    }
    Ok(())
}

/// The ids that [`find`] may mean by one: from the first to the last.
pub fn span(found: [u8; 16]) -> ([u8; 16], [u8; 16]) {
    let first = u128::from_be_bytes(found);
    let last = if first & LOW == 0 { first | LOW } else { first };
    (found, last.to_be_bytes())
}

/// The 54 bits of an id that [`number`] leaves out.
const LOW: u128 = (1 << 52) - 1;
/// 2020-01-01: numbers count from here, so that 41 bits last until 2089. Earlier moments become negative.
const EPOCH: i64 = 1_577_836_800_000;

/// An id as a number in the same order: 41 bits of milliseconds and the 22 bits that count within one (see `id.rs`).
fn number(id: &[u8; 16]) -> i64 {
    let bits = u128::from_be_bytes(*id);
    if bits == u128::MAX {
        return i64::MAX;
    }
    let field = |shift: u32, mask: u128| i64::try_from((bits >> shift) & mask).expect("fewer than 63 bits");
    ((moment(id) - EPOCH) << 22) | (field(64, 0xfff) << 10) | field(52, 0x3ff)
}

fn id_of(number: i64) -> [u8; 16] {
    let part = |n: i64| u128::from(n.unsigned_abs());
    let (ms, high, low) = ((number >> 22) + EPOCH, (number >> 10) & 0xfff, number & 0x3ff);
    ((part(ms) << 80) | (0x7 << 76) | (part(high) << 64) | (0b10 << 62) | (part(low) << 52)).to_be_bytes()
}

fn moment(id: &[u8; 16]) -> i64 {
    i64::try_from(u128::from_be_bytes(*id) >> 80).expect("48 bits")
}

/// GIN finds all before it sorts any. So each row also has the piece of time it belongs to as a word, on four levels (about half an
/// hour, nine hours, six days, three months), and the newest pieces are asked first.
const LEVELS: [u32; 4] = [21, 25, 29, 33];
/// How many rows the newest pieces should hold.
const SAMPLE: i64 = 1_000;

fn pieces(
    tx: &mut TenantRead,
    spelling: &Spelling,
    lexemes: &[String],
    before: [u8; 16],
    limit: i64,
) -> Result<Vec<[u8; 16]>> {
    let quoted: Vec<String> = lexemes.iter().map(|lexeme| format!("'{lexeme}'")).collect();
    let words = quoted.join(" & ");
    // from where to where the newest rows lie: the newest itself, and the thousandth
    let edge = |tx: &mut TenantRead, skip: i64| -> Result<Option<i64>> {
        let found: Option<(Vec<u8>,)> = tx.find(
            Texts::postgres(
                "select id from search_words where tenant = $1 and id < $2 order by id desc offset $3 limit 1",
            ),
            args![before[..], skip],
        )?;
        Ok(found.and_then(|(id,)| Some(moment(id[..].try_into().ok()?))))
    };
    if let (Some(newest), Some(oldest)) = (edge(tx, 0)?, edge(tx, SAMPLE)?) {
        for span in [newest - oldest, (newest - oldest).saturating_mul(32)] {
            let first = (newest - span).max(0);
            let Some(level) = LEVELS.into_iter().find(|level| (newest >> level) - (first >> level) < 8) else { break };
            let pieces: Vec<String> =
                (first >> level..=newest >> level).map(|piece| format!("'{}'", spelling.piece(level, piece))).collect();
            let found = matching(tx, &format!("{words} & ({})", pieces.join(" | ")), before, limit)?;
            if i64::try_from(found.len()) == Ok(limit) {
                return Ok(found);
            }
        }
    }
    matching(tx, &words, before, limit)
}

fn matching(tx: &mut TenantRead, query: &str, before: [u8; 16], limit: i64) -> Result<Vec<[u8; 16]>> {
    let found: Vec<(Vec<u8>,)> = tx.all(
        Texts::postgres(
            "select id from search_words
          where tenant = $1 and id < $2 and words @@ $3::text::tsquery
          order by id desc
          limit $4",
        ),
        args![before[..], query, limit],
    )?;
    Ok(found.into_iter().filter_map(|(id,)| id[..].try_into().ok()).collect())
}

/// The moment of an id, for those who page by it.
pub fn time_of(id: [u8; 16]) -> Time {
    Time(moment(&id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;

    #[test]
    fn a_number_leads_back_to_its_id_and_keeps_the_order() {
        let moments = [0, 1_400_000_000_000, EPOCH, 1_795_150_000_000, 3_000_000_000_000];
        let mut numbers = Vec::new();
        for ms in moments {
            let id = crate::id::mint(Time(ms));
            let (first, last) = span(id_of(number(&id)));
            assert!(first <= id && id <= last, "{ms}");
            numbers.push(number(&id));
        }
        assert!(numbers.is_sorted());
        assert_eq!(number(&TenantId::MAX.0), i64::MAX);
        let exact = crate::id::mint(Time(5));
        assert_eq!(span(exact), (exact, exact), "an id that is whole stands for itself");
    }
}
