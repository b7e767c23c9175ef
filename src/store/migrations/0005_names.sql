-- Up Migration

-- What the broker could not take. (An outbox is, elsewhere, what leaves with a transaction.)
alter table outbox rename to fallback_queue;
alter table fallback_queue rename column outbox_id to fallback_id;
alter table fallback_queue rename constraint outbox_pkey to fallback_queue_pkey;
alter table fallback_queue rename constraint outbox_event_id_key to fallback_queue_event_id_key;
alter index outbox_by_order rename to fallback_queue_by_order;
update parked_events set source = 'fallback' where source = 'outbox';

-- What operators did with parked events.
alter table parked_deeds rename to parked_actions;
alter table parked_actions rename column deed_id to action_id;
alter table parked_actions rename column deed to action;
alter index parked_deeds_by_event rename to parked_actions_by_event;

-- Processes of the release before know the old names; the next one drops these.
create view outbox as select fallback_id as outbox_id, event_id, order_id, event, attempts, taken_at, due_at from fallback_queue;
create view parked_deeds as select action_id as deed_id, hash, action as deed, done_by, done_at from parked_actions;
