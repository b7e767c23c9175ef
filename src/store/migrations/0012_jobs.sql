-- Up Migration

-- By it the parking lot is listed, newest first, and a job knows how far it got.
alter table parked_events add column parked_number bigint;
update parked_events set parked_number = numbered.parked_number
from (select hash, row_number() over (order by parked_at, hash) as parked_number from parked_events) as numbered
where numbered.hash = parked_events.hash;
alter table parked_events alter column parked_number set not null,
  alter column parked_number add generated always as identity;
select setval(pg_get_serial_sequence('parked_events', 'parked_number'), coalesce(max(parked_number), 0) + 1, false) from parked_events;
create unique index parked_events_by_number on parked_events (parked_number);
create index parked_events_open on parked_events (parked_number) where settlement is null;

-- What operators asked to be done with many parked events; workers do it, a few at a time.
create table jobs (
  job_id uuid primary key,
  kind text not null check (kind in ('parked.replay', 'parked.discard')),
  -- Which parked events: {"ids"} or {"reason", "source", "order_id", "text", "parked_from", "parked_before"}, each if given.
  selection jsonb not null,
  state text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  total integer not null,
  done integer not null default 0,
  failed integer not null default 0,
  -- The first of those that failed: [{"parked_id", "code"}]
  failures jsonb not null default '[]',
  -- The parked_number of the last one that was taken, and of the last that may be.
  position bigint not null default 0,
  last bigint not null,
  -- Who asked for it, as in `actions`.
  actor text not null,
  role text check (role in ('customer', 'operator')),
  way text not null check (way in ('api', 'cli', 'console', 'rule')),
  request_id text,
  due_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  constraint jobs_settled check ((state = 'running') = (settled_at is null))
);
create index jobs_running on jobs (due_at) where state = 'running';
