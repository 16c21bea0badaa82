-- What is wrong with a number, in a word that every language has a sentence for.

alter table instances add column trouble text collate "C";                              -- state_reason has what the gateway said of it, if it did
alter table instances add column gateway_health text collate "C" not null default 'unknown'; -- what its gateway's health means for it
alter table instances rename column pause_reason to hold;
update instances
   set hold = case when hold like '%new people%' then 'noFirsts' when hold like '%locked this number for sending%' then 'noSends' else 'slowDown' end
 where hold is not null;
