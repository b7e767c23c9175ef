-- Up Migration

-- From when on a worker may take the row: the lease of the worker that tries it now, or the wait of a newer schema's event.
alter table outbox add column due_at timestamptz not null default now();

-- What an operator made of a parked event. It is kept: the same bytes parked again open it again.
alter table parked_events
  add column settlement text check (settlement in ('replayed', 'discarded')),
  add column settled_at timestamptz,
  add constraint parked_events_settled check (num_nulls(settlement, settled_at) in (0, 2));

-- Who did what with which parked event, and when; rows are only ever added.
create table parked_deeds (
  deed_id bigint generated always as identity primary key,
  hash bytea not null references parked_events (hash),
  deed text not null check (deed in ('replayed', 'discarded')),
  done_by text not null,
  done_at timestamptz not null default now()
);
create index parked_deeds_by_event on parked_deeds (hash);
