-- Numbers of Meta's Cloud API have no gateway that knows them by name: a hook is signed by a Meta app, and says which phone_number_id or which
-- business account it is about. Other providers leave both empty.
alter table instances add column app_key bytea;              -- SHA-256 of the app's secret: numbers with the same one belong to one Meta app
alter table instances add column account text collate "C";   -- the WhatsApp Business account (WABA id)
create unique index instances_app on instances (app_key, external_name) where deleted_at is null and app_key is not null;
create index instances_account on instances (app_key, account) where deleted_at is null and app_key is not null;
