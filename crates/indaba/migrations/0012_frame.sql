-- What people say of themselves in a tenant: whether they are at work, and what they want to be called for.

alter table memberships add column away boolean not null default false;         -- as they say themselves
alter table memberships add column idle_minutes bigint not null default 15;     -- away without saying so after this long; 0: never
alter table memberships add column active_at bigint not null default 0;         -- when they were last known to do something
alter table memberships add column alerts text collate "C" not null default 'team';
alter table memberships add column quiet boolean not null default false;
alter table memberships add column quiet_from text collate "C" not null default '22:00'; -- in the time of their device
alter table memberships add column quiet_until text collate "C" not null default '07:00';

-- What a number has sent on one day (days since 1970, UTC).
alter table instances add column counted_day bigint not null default 0;
alter table instances add column sent_today bigint not null default 0;
alter table instances add column firsts_today bigint not null default 0; -- of them, to people who never wrote
