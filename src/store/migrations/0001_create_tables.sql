-- Up Migration

create table users (
  user_id integer generated always as identity primary key,
  nick_name varchar(50) unique,
  password varchar(256),
  full_name varchar(50),
  cpf char(11) unique check (cpf ~ '^[0-9]{11}$'),
  email varchar(50),
  phone_number varchar(50),
  role text not null default 'customer' check (role in ('customer', 'operator')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  erased_at timestamptz,
  -- Personal columns are null exactly when the user is erased.
  constraint users_erased check (
    case when erased_at is null
      then num_nulls(nick_name, password, full_name, cpf, email, phone_number) = 0
      else num_nonnulls(nick_name, password, full_name, cpf, email, phone_number) = 0
    end
  )
);

create table orders (
  order_id uuid primary key,
  user_id integer not null references users (user_id),
  item_description varchar(256) not null,
  item_quantity integer not null check (item_quantity > 0),
  item_price integer not null check (item_price >= 0),
  total_value bigint not null,
  status text not null check (status in ('confirmed', 'paid', 'shipped', 'delivered', 'cancelled')),
  version integer not null check (version > 0),
  event_id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint orders_total check (total_value = item_quantity::bigint * item_price)
);

-- The two lists: one user's orders, and everybody's; newest first, keyset by (created_at, order_id).
create index orders_by_user on orders (user_id, created_at desc, order_id desc);
create index orders_by_time on orders (created_at desc, order_id desc);

-- The timeline and the inbox: every event that reached the worker, and what became of it.
create table order_events (
  event_id uuid primary key,
  order_id uuid not null,
  version integer not null,
  base uuid,
  type text not null,
  data jsonb not null,
  request_id text not null,
  outcome text not null check (outcome in ('applied', 'waiting', 'rejected')),
  reason text,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now()
);

create unique index order_events_chain on order_events (order_id, version) where outcome = 'applied';
-- The few that are not on the chain: the waiting ones are looked for after every batch that holds their order.
create index order_events_off_chain on order_events (order_id) where outcome <> 'applied';

-- Events taken while the broker could not; the worker applies them and deletes the rows in the same transaction.
create table outbox (
  outbox_id bigint generated always as identity primary key,
  event_id uuid not null unique,
  order_id uuid not null,
  event jsonb not null,
  attempts integer not null default 0,
  taken_at timestamptz not null default now()
);
create index outbox_by_order on outbox (order_id);

-- The parking lot: what can never be applied, as it came.
create table parked_events (
  hash bytea primary key,
  source text not null,
  reason text not null,
  attempts integer not null,
  headers jsonb not null,
  raw bytea not null,
  parked_at timestamptz not null default now()
);
