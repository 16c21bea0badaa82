-- What is kept to care for a number: why and how long its sending waits, when it was last found well, how many new people it wrote to.

alter table instances add column pause_reason text;             -- a sentence, as long as sending waits
alter table instances add column firsts_paused_until bigint;    -- no messages before this to people who never wrote
alter table instances add column locks bigint not null default 0; -- account locks in a row
alter table instances add column locked_at bigint;              -- the last of them
alter table instances add column seen_at bigint;                -- when it was last known to be connected
alter table instances add column restarted_at bigint;           -- when it was last restarted because it had gone deaf

-- First messages to new people on one day (days since 1970, UTC).
alter table send_paces add column day bigint not null default 0;
alter table send_paces add column firsts bigint not null default 0;
