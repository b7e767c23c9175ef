-- Up Migration

-- The feed: every settled event has its place in the order of the commits. Quick, because its lock keeps all others out; what
-- there is gets its numbers by the next migration, below the first one that is drawn from here on.
alter table order_events
  add column position bigint,
  add column user_id integer,
  add column traceparent text,
  -- How often an operator had a refused event decided anew, if ever: each verdict is an event of its own to those who are told.
  add column reopened integer;

create sequence order_events_position;
select setval('order_events_position', greatest(count(*), 1), count(*) > 0) from order_events where outcome <> 'waiting';

-- Events that workers of the release before record while they are replaced. Their batches are in no order of versions: two events
-- of one order in one batch may get their positions the other way round.
create function place_in_feed() returns trigger language plpgsql as $$
begin
  new.user_id := coalesce(new.user_id, (new.data ->> 'user_id')::integer);
  if new.position is null and new.outcome <> 'waiting' then
    perform pg_advisory_xact_lock(4026001); -- FEED_LOCK of src/store/order-events.ts
    new.position := nextval('order_events_position');
  end if;
  return new;
end
$$;
create trigger order_events_get_positions before insert or update on order_events
  for each row when (new.user_id is null or (new.position is null and new.outcome <> 'waiting'))
  execute function place_in_feed();

-- How far each way out has told the feed, and which process tells it now.
create table feed_cursors (
  name text primary key,
  position bigint not null check (position >= 0),
  holder text,
  leased_until timestamptz,
  constraint feed_cursors_leased check (num_nulls(holder, leased_until) in (0, 2))
);
-- What happened before is not told unasked: `comanda relay rewind --to 0` has it told.
insert into feed_cursors (name, position) select 'exchange', count(*) from order_events where outcome <> 'waiting';
