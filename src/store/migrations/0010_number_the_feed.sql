-- Up Migration

-- Workers of the release before go on booking meanwhile, until the indexes are built.
update order_events set position = numbered.position, user_id = (data ->> 'user_id')::integer
from (
  select event_id, case when outcome <> 'waiting' then row_number() over (partition by outcome = 'waiting' order by recorded_at, version, event_id) end as position
  from order_events where position is null and user_id is null
) as numbered
where order_events.event_id = numbered.event_id;

create unique index order_events_by_position on order_events (position);
-- One customer's events, without a scan of all.
create index order_events_by_user on order_events (user_id, position);
