-- The words of messages and contacts (search/mod.rs), apart from them and without row-level security: under it PostgreSQL would not
-- use the index, because `@@` is not leakproof. Each word begins with its tenant's letters, and what is found is looked up in its own
-- table, under the lock, before anyone sees it. The column is not called tenant_id: that name brings the lock.
create table search_words (
  tenant uuid not null,
  id uuid not null,
  words tsvector not null,
  primary key (tenant, id)
);
create index search_words_gin on search_words using gin (words);
