-- Whether the pages that texts link to are asked for their title and picture. Off until somebody says so (docs/decisions/0012).

alter table tenants add column link_previews boolean not null default false;
