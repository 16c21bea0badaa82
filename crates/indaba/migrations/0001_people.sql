-- Tenants, the people in them, how they get in, and what they did (DESIGN 3).

create table tenants (
  id uuid primary key,
  tenant_id uuid not null generated always as (id) stored, -- so that a tenant's own row is asked for, and locked, as all its others
  name text not null,
  slug text collate "C" not null unique,
  plan text collate "C" not null,
  time_zone text collate "C" not null,
  locale text collate "C" not null,
  country text collate "C",
  suspended_at bigint,
  created_at bigint not null
);

-- People belong to the installation; what they may do, to a tenant.
create table users (
  id uuid primary key,
  email text collate "C" not null unique,        -- folded
  name text not null,
  password_hash text collate "C",
  auth_version bigint not null default 1,        -- counts up when everything signed so far shall end
  operator boolean not null default false,
  created_at bigint not null
);

create table memberships (
  tenant_id uuid not null references tenants (id),
  user_id uuid not null references users (id),
  role text collate "C" not null,
  created_at bigint not null,
  primary key (tenant_id, user_id)
);
create index memberships_user on memberships (user_id, tenant_id);

-- A family of refresh tokens: one browser, from signing in to signing out. The token in use and the one before it, hashed.
create table sign_ins (
  id uuid primary key,
  user_id uuid not null references users (id),
  tenant_id uuid not null references tenants (id), -- where this browser is at work
  token_hash bytea not null unique,
  former_hash bytea,
  rotated_at bigint not null,
  user_agent text not null,
  ip text collate "C" not null,
  created_at bigint not null,
  last_used_at bigint not null,
  expires_at bigint not null
);
create index sign_ins_user on sign_ins (user_id, id);
create index sign_ins_former on sign_ins (former_hash) where former_hash is not null;
create index sign_ins_expiry on sign_ins (expires_at);

create table invitations (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  email text collate "C" not null,
  role text collate "C" not null,
  token_hash bytea not null unique,
  created_at bigint not null,
  expires_at bigint not null,
  primary key (tenant_id, id),
  unique (tenant_id, email)
);

create table api_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text not null,
  prefix text collate "C" not null,
  hash bytea not null unique,
  role text collate "C" not null,
  scopes text not null,                          -- JSON
  created_at bigint not null,
  expires_at bigint,
  last_used_at bigint,
  primary key (tenant_id, id)
);

create table audit_entries (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  actor_kind text collate "C" not null,
  actor_id uuid,
  actor_name text not null,                      -- as it was called then
  action text collate "C" not null,
  subject_kind text collate "C" not null,
  subject_id text collate "C",
  before text,                                   -- JSON
  after text,                                    -- JSON
  request_id text collate "C",
  created_at bigint not null,
  primary key (tenant_id, id)
);
create index audit_entries_subject on audit_entries (tenant_id, subject_id, id);
create index audit_entries_actor on audit_entries (tenant_id, actor_id, id);
create index audit_entries_action on audit_entries (tenant_id, action, id);

create table idempotency_keys (
  tenant_id uuid not null references tenants (id),
  principal uuid not null,                       -- the user's or the key's id
  route text collate "C" not null,
  key text collate "C" not null,
  body_hash bytea not null,
  started_at bigint not null,
  done_at bigint,                                -- set by the transaction that made the change
  status bigint,
  answer bytea,                                  -- sealed
  primary key (tenant_id, principal, route, key)
);
create index idempotency_keys_age on idempotency_keys (started_at);

-- The keys that ever sealed something here, by their ids: a server with none of them does not start.
create table secret_keys (
  key_id text collate "C" primary key,
  made_at bigint not null
);
