-- Requests counted over all nodes of a PostgreSQL installation (http/limits.rs). Only the last two minutes matter.
create table rate_counts (
  key uuid not null,                             -- a user, a key, a tenant, or a hash of an address or an e-mail
  minute bigint not null,
  count bigint not null,
  primary key (key, minute)
);
create index rate_counts_age on rate_counts (minute);
