-- Up Migration

-- Where users want to be told what happens. Of a removed one only the row stays, until its deliveries are swept.
create table webhooks (
  webhook_id uuid primary key,
  user_id integer not null references users,
  url text,
  description text,
  types text[],
  -- Newest first, sealed under DATA_KEYS: [{"sealed", "until": null or when it signs no more}]
  secrets jsonb not null,
  state text not null default 'enabled' check (state in ('enabled', 'disabled', 'removed')),
  disabled_reason text check (disabled_reason in ('owner', 'operator', 'gone', 'failing')),
  disabled_at timestamptz,
  failing_since timestamptz,
  -- Only what stands behind this position of the feed is told unasked.
  told_after bigint not null,
  replay_after bigint,
  replay_before bigint,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  constraint webhooks_removed check ((url is null) = (state = 'removed')),
  constraint webhooks_disabled check ((state = 'disabled') = (disabled_reason is not null) and (disabled_reason is null) = (disabled_at is null)),
  constraint webhooks_replay check (num_nulls(replay_after, replay_before) in (0, 2))
);
create index webhooks_by_user on webhooks (user_id, webhook_id) where state <> 'removed';
create index webhooks_replaying on webhooks (webhook_id) where replay_after is not null;

-- One for each event and endpoint; the event itself stands in order_events.
create table webhook_deliveries (
  delivery_id bigint generated always as identity primary key,
  webhook_id uuid not null references webhooks,
  message_id text not null,
  event_id uuid,
  -- How often the event had been decided anew when it was told: what is told under one id is one verdict.
  verdict integer not null default 0,
  order_id uuid,
  position bigint,
  type text not null,
  state text not null default 'due' check (state in ('due', 'delivered', 'given_up')),
  -- Since it became due; `attempts` has all.
  tries integer not null default 0,
  attempts jsonb not null default '[]',
  -- While an attempt is under way, when it is taken for lost.
  next_attempt_at timestamptz default clock_timestamp(),
  missing_key text,
  created_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  constraint webhook_deliveries_once unique (webhook_id, message_id),
  constraint webhook_deliveries_due check ((state = 'due') = (next_attempt_at is not null) and (state = 'due') = (settled_at is null))
);
create index webhook_deliveries_due_next on webhook_deliveries (webhook_id, next_attempt_at, delivery_id) where state = 'due';
create index webhook_deliveries_due_of_order on webhook_deliveries (webhook_id, order_id, delivery_id) where state = 'due';
create index webhook_deliveries_listed on webhook_deliveries (webhook_id, delivery_id);
create index webhook_deliveries_delivered on webhook_deliveries (settled_at) where state = 'delivered';

insert into feed_cursors (name, position) select 'webhooks', coalesce(max(position), 0) from order_events;
