-- Work to do (jobs) and what happened (events).

create table jobs (
    tenant_id uuid not null,
    id uuid not null,
    kind text collate "C" not null,
    payload text collate "C" not null,
    -- later, behind, ready, running, done, dead, cancelled: see jobs/mod.rs
    state text collate "C" not null,
    priority bigint not null,
    lane text collate "C",
    lane_seq bigint,
    unique_key text collate "C",
    run_at bigint not null,
    attempt bigint not null,
    max_attempts bigint not null,
    worker uuid,
    request_id text collate "C",
    last_error text collate "C",
    created_at bigint not null,
    started_at bigint,
    finished_at bigint,
    primary key (tenant_id, id)
);

-- A claim reads the head of this one: priority, then tenants in turn, then age.
create index jobs_ready on jobs (priority, tenant_id, id) where state = 'ready';
create index jobs_later on jobs (run_at) where state = 'later';
create index jobs_running on jobs (worker) where state = 'running';
create index jobs_dead on jobs (tenant_id, id) where state = 'dead';
create index jobs_lane on jobs (tenant_id, lane, lane_seq) where lane is not null and finished_at is null;
create unique index jobs_unique on jobs (tenant_id, kind, unique_key)
    where unique_key is not null and started_at is null and finished_at is null;

-- A lane exists while it has unfinished jobs; its row is the lock under which they come and go.
create table job_lanes (
    tenant_id uuid not null,
    lane text collate "C" not null,
    tail bigint not null,
    primary key (tenant_id, lane)
);

-- Processes that run jobs. What a worker without a lease has in its hands is taken back.
create table job_workers (
    id uuid primary key,
    lease_until bigint not null
);

create table recurring_jobs (
    name text collate "C" primary key,
    next_at bigint not null
);

create table event_counters (
    tenant_id uuid primary key,
    last_seq bigint not null
);

create table events (
    tenant_id uuid not null,
    seq bigint not null,
    kind text collate "C" not null,
    at bigint not null,
    ids text collate "C" not null,
    patch text collate "C" not null,
    primary key (tenant_id, seq)
);
