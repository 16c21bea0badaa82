-- Contacts, conversations, messages, media, and the hooks they come from (DESIGN 3).

create table contacts (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text,                              -- what people call them; until somebody says so, what their phone says
  named boolean not null default false,   -- a person of ours has set the name: a push name no longer changes it
  sort_key text collate "C" not null,     -- the name, else the phone, folded: what lists are sorted by
  phone text collate "C",                 -- E.164 with +: their phone identity, kept here because every list shows it
  status text collate "C" not null,
  owner_id uuid,
  fields text not null default '{}',
  last_message_at bigint,
  opted_out_at bigint,
  merged_into uuid,                       -- this row is only a trace: the contact lives on under that id
  created_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, merged_into) references contacts (tenant_id, id)
);
create index contacts_sorted on contacts (tenant_id, sort_key, id) where merged_into is null;
create index contacts_status on contacts (tenant_id, status, sort_key, id) where merged_into is null;

-- The ways WhatsApp names a contact. A LID is only known to one number: its scope is that instance; elsewhere it is zeros.
create table contact_identities (
  tenant_id uuid not null,
  kind text collate "C" not null,
  value text collate "C" not null,
  scope uuid not null,
  contact_id uuid not null,
  created_at bigint not null,
  primary key (tenant_id, kind, value, scope),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id)
);
create index contact_identities_contact on contact_identities (tenant_id, contact_id);

-- One contact on one instance, for ever.
create table conversations (
  tenant_id uuid not null,
  id uuid not null,
  instance_id uuid not null,
  contact_id uuid not null,
  address text collate "C",               -- where the last message came from, as the provider writes it: replies go there
  state text collate "C" not null,
  snoozed_until bigint,
  assignee_id uuid,
  unread_count bigint not null default 0,
  unread boolean not null default false,  -- unread_count > 0, for the indexes
  last_inbound_at bigint,
  window_ends_at bigint,
  last_message_id uuid,
  last_message_kind text collate "C",
  last_message_preview text,
  last_message_direction text collate "C",
  last_message_state text collate "C",
  last_message_author text collate "C",
  last_message_author_id uuid,
  last_message_at bigint not null,        -- when it began, until there is a message
  assistant_mode text collate "C",
  assistant_paused_until bigint,
  created_at bigint not null,
  merged_into uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, instance_id) references instances (tenant_id, id),
  foreign key (tenant_id, contact_id) references contacts (tenant_id, id)
);
create unique index conversations_pair on conversations (tenant_id, contact_id, instance_id) where merged_into is null;
create index conversations_newest on conversations (tenant_id, state, last_message_at, id) where merged_into is null;
create index conversations_all on conversations (tenant_id, last_message_at, id) where merged_into is null;
create index conversations_unread on conversations (tenant_id, state, unread, last_message_at, id) where merged_into is null;
create index conversations_assigned on conversations (tenant_id, assignee_id, state, last_message_at, id) where merged_into is null;

-- Each stretch of a conversation from open to closed.
create table conversation_spells (
  tenant_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  opened_at bigint not null,
  closed_at bigint,
  closed_by uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, conversation_id) references conversations (tenant_id, id)
);
create index conversation_spells_of on conversation_spells (tenant_id, conversation_id, id);

-- How many conversations are open, and open and unread, by assignee (zeros: nobody). Kept by whoever changes one.
create table conversation_counts (
  tenant_id uuid not null,
  assignee_id uuid not null,
  open bigint not null,
  unread bigint not null,
  primary key (tenant_id, assignee_id)
);

create table media (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  instance_id uuid,                       -- from which number it is fetched
  state text collate "C" not null,        -- pending, ready, failed
  kind text collate "C" not null,
  mime text collate "C" not null,
  name text,
  size_bytes bigint,
  width bigint,
  height bigint,
  duration_ms bigint,
  sha256 bytea,
  blob_key text collate "C",
  source text,                            -- JSON: how the provider hands it out
  error text,
  created_at bigint not null,
  primary key (tenant_id, id)
);

create table messages (
  tenant_id uuid not null,
  id uuid not null,                       -- of the provider's time when that is more than a minute old
  conversation_id uuid not null,
  instance_id uuid not null,
  direction text collate "C" not null,
  author text collate "C" not null,       -- contact, user, assistant, campaign, rule, api, phone
  author_id uuid,
  kind text collate "C" not null,
  body text,
  content text,                           -- JSON, the neutral vocabulary of the providers; null: nothing but the body
  state text collate "C" not null,
  provider_id text collate "C",           -- unique on its number
  provider_ref text collate "C",          -- the same message as the provider's calls want to hear it
  error_code text collate "C",
  error_detail text,
  reply_to uuid,
  quoted_id text collate "C",             -- provider's id of what it answers, when we do not have that
  media_id uuid,
  attempt bigint not null default 0,
  asked_at bigint,                        -- when we last began to send it
  created_at bigint not null,
  sent_at bigint,
  delivered_at bigint,
  read_at bigint,
  edited_at bigint,
  deleted_at bigint,
  primary key (tenant_id, id),
  foreign key (tenant_id, conversation_id) references conversations (tenant_id, id),
  foreign key (tenant_id, media_id) references media (tenant_id, id)
);
create index messages_thread on messages (tenant_id, conversation_id, id);
create unique index messages_provider on messages (tenant_id, instance_id, provider_id) where provider_id is not null;
create index messages_sending on messages (tenant_id, instance_id) where state = 'sending';
create index messages_media on messages (tenant_id, media_id) where media_id is not null;

-- One reaction of each side to a message, as on WhatsApp.
create table message_reactions (
  tenant_id uuid not null,
  message_id uuid not null,
  direction text collate "C" not null,
  author text collate "C" not null,
  author_id uuid,
  emoji text not null,
  at bigint not null,
  primary key (tenant_id, message_id, direction),
  foreign key (tenant_id, message_id) references messages (tenant_id, id)
);

-- What came before the message it is about: a status, a reaction, an edit, the echo of our own send. JSON as the provider read it.
create table parked_updates (
  tenant_id uuid not null,
  instance_id uuid not null,
  provider_id text collate "C" not null,
  id uuid not null,
  payload text not null,
  at bigint not null,
  primary key (tenant_id, instance_id, provider_id, id)
);
create index parked_updates_at on parked_updates (tenant_id, at);

-- When a number may send its next message.
create table send_paces (
  tenant_id uuid not null,
  instance_id uuid not null,
  next_at bigint not null,
  primary key (tenant_id, instance_id)
);

-- The durable inbox. A row is there before the gateway gets its 200. No foreign key: the row of a number is never deleted, and a
-- key check for each hook would be the dearest part of storing it.
create table hooks (
  tenant_id uuid not null,
  id uuid not null,
  instance_id uuid not null,
  provider text collate "C" not null,
  dedupe_key bytea not null,              -- as the provider makes it: usually SHA-256 of the body
  body bytea not null,
  received_at bigint not null,
  processed_at bigint,
  error text,
  primary key (tenant_id, id)
);
create unique index hooks_dedupe on hooks (tenant_id, instance_id, dedupe_key);
create index hooks_error on hooks (tenant_id, id) where error is not null;

-- Signed by a gateway we know, but for a session we do not: the operator's to look at.
create table stray_hooks (
  id uuid not null primary key,
  gateway_id uuid,
  provider text collate "C" not null,
  session text,
  dedupe_key bytea not null unique,
  body bytea not null,
  reason text not null,
  received_at bigint not null
);
