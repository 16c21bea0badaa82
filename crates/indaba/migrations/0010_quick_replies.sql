-- Texts that people write once and send often.

create table quick_replies (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  owner_id uuid not null,                 -- whose it is; zeros: everybody's
  shortcut text collate "C" not null,     -- folded; what is typed after the /
  title text not null,
  body text not null,                     -- with its variables, as it was written
  media_id uuid,
  uses bigint not null default 0,         -- how many messages were made from it
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, media_id) references media (tenant_id, id)
);
create unique index quick_replies_shortcut on quick_replies (tenant_id, owner_id, shortcut);
