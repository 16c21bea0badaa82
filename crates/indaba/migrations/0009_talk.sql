-- Labels and private notes of conversations; since when a customer waits, for the lists that put the longest first.

-- Deleted: it is shown nowhere any more, and a job takes it off its conversations before the row goes.
create table labels (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text not null,
  folded text collate "C" not null,       -- the name in small letters: no two alike, and what the list is sorted by
  colour text collate "C" not null,
  created_at bigint not null,
  deleted_at bigint,
  primary key (tenant_id, id)
);
create unique index labels_folded on labels (tenant_id, folded) where deleted_at is null;

alter table conversations add column labels text;         -- JSON: the ids of its labels; null: none
alter table conversations add column waiting_since bigint; -- their first message that nobody has answered; null: nobody waits

-- What the lists by label walk: `state` and `last_message_at` are those of the conversation, kept by whoever changes it.
create table conversation_labels (
  tenant_id uuid not null,
  conversation_id uuid not null,
  label_id uuid not null,
  state text collate "C" not null,
  last_message_at bigint not null,
  primary key (tenant_id, conversation_id, label_id),
  foreign key (tenant_id, conversation_id) references conversations (tenant_id, id),
  foreign key (tenant_id, label_id) references labels (tenant_id, id)
);
create index conversation_labels_newest on conversation_labels (tenant_id, label_id, state, last_message_at, conversation_id);
create index conversation_labels_all on conversation_labels (tenant_id, label_id, last_message_at, conversation_id);

-- Whose turn it was until now: since their last message, for what came before it is not told apart here. Chats that were only imported
-- have nothing unread, and nobody in them waits. Before the indexes: they are built once, not kept up row by row.
update conversations set waiting_since = last_inbound_at
 where last_message_direction = 'inbound' and unread_count > 0 and state <> 'closed' and merged_into is null;

-- Short lists that come first in their order: who waits, and whose service window is open.
create index conversations_waiting on conversations (tenant_id, waiting_since, id) where waiting_since is not null and merged_into is null;
create index conversations_window on conversations (tenant_id, window_ends_at, id) where window_ends_at is not null and merged_into is null;

-- What only the team sees. Not messages: nothing that sends, searches or hands out messages can come upon one.
create table notes (
  tenant_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  author text collate "C" not null,       -- user, api
  author_id uuid not null,
  body text not null,
  mentions text,                          -- JSON: the ids of the users it names; null: none
  created_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, conversation_id) references conversations (tenant_id, id)
);
create index notes_thread on notes (tenant_id, conversation_id, id);
