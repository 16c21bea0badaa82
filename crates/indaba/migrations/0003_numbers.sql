-- Numbers and the gateways that carry them (DESIGN 3).

-- A server that speaks a provider's wire. Without a tenant it belongs to the operator and carries the numbers of many tenants.
create table gateways (
  id uuid not null primary key,
  tenant_id uuid references tenants (id),
  kind text collate "C" not null,
  name text not null,
  url text collate "C" not null,
  secrets bytea not null,                 -- sealed: its key, and the secret that signs its own hooks
  hook_token text collate "C" not null unique,
  region text,
  capacity bigint not null,
  instances bigint not null default 0,    -- numbers on it; kept by the transaction that places or removes one
  draining boolean not null default false,
  health text collate "C" not null default 'unknown',
  health_detail text,
  version text,
  engine text,
  checked_at bigint,
  created_at bigint not null
);
create index gateways_tenant on gateways (tenant_id, id);

-- One WhatsApp number of a tenant. A deleted one keeps its row: its history points at it.
create table instances (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  gateway_id uuid references gateways (id), -- none: deleted
  provider text collate "C" not null,
  name text not null,
  external_name text collate "C" not null, -- WAHA session, Evolution instance, phone_number_id
  hook_token text collate "C" not null unique,
  hook_url text not null,                 -- just what the gateway was given
  secrets bytea not null,                 -- sealed: what signs this number's hooks, and settings that are secret
  settings text not null default '{}',    -- provider settings that are not
  own_phone text collate "C",             -- E.164 with +
  push_name text,
  state text collate "C" not null,
  link_step text collate "C",
  state_reason text,
  state_at bigint not null default 0,     -- the gateway's own time of the newest state; older news changes nothing
  paused_until bigint,
  code_attempt bigint not null default 0,
  code_expires_at bigint,
  capabilities_off text not null default '', -- holes found at run time, comma-separated
  sync_state text collate "C" not null default 'idle',
  sync_chats bigint not null default 0,
  sync_total bigint,
  sync_finished_at bigint,
  last_inbound_at bigint,
  last_outbound_at bigint,
  last_hook_at bigint,
  created_at bigint not null,
  deleted_at bigint,
  primary key (tenant_id, id)
);
create unique index instances_external on instances (gateway_id, external_name) where deleted_at is null;
create index instances_gateway on instances (gateway_id);
