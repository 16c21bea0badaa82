-- The words of messages and contacts (search/mod.rs). Only words and owners are kept, not the text: it is in its own table.
-- `rowid` is made from the id of what is found, so that the newest come first. The words come folded and cut by ourselves, the same
-- on both databases; `ascii` leaves each of them as it is.
create virtual table search_words using fts5(
  tenant_id unindexed, words,
  content = '', contentless_delete = 1, contentless_unindexed = 1, detail = none, tokenize = 'ascii'
);
