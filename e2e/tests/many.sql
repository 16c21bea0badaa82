-- Fills a workspace (:slug) with :many conversations of one message each, newest first by their number.
pragma foreign_keys = on;
begin immediate;

create temp table place as
  select t.id as tenant, i.id as instance
    from tenants t join instances i on i.tenant_id = t.id
   where t.slug = :slug limit 1;
create temp table numbers as
  with recursive up (n) as (select 1 union all select n + 1 from up where n < :many)
  select n, unixepoch() * 1000 - n * 1000 as at from up;
-- One message a conversation: here the order of ids says nothing, so they may be random altogether.
create temp table rows as
  select at, randomblob(16) as contact, randomblob(16) as conversation, randomblob(16) as message,
         printf('Customer %06d', n) as name, printf('+2773%07d', n) as phone
    from numbers order by n;

insert into contacts (tenant_id, id, name, sort_key, phone, status, last_message_at, created_at)
  select tenant, contact, name, lower(name), phone, 'new', at, at from rows, place;
insert into conversations (tenant_id, id, instance_id, contact_id, state, last_inbound_at, last_message_id, last_message_kind,
                           last_message_preview, last_message_direction, last_message_state, last_message_author, last_message_at,
                           created_at)
  select tenant, conversation, instance, contact, 'open', at, message, 'text', 'Question of ' || name, 'inbound', 'received', 'contact',
         at, at from rows, place;
insert into messages (tenant_id, id, conversation_id, instance_id, direction, author, kind, body, state, created_at)
  select tenant, message, conversation, instance, 'inbound', 'contact', 'text', 'Question of ' || name, 'received', at from rows, place;
insert into conversation_counts (tenant_id, assignee_id, open, unread)
  select tenant, zeroblob(16), :many, 0 from place where true
  on conflict do update set open = excluded.open;

commit;
