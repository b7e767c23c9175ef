-- Up Migration

-- Who asked for the change: `user:<user_id>` or `operator:<user_id>`. Null in rows of the releases that did not name one.
alter table order_events add column actor text;
