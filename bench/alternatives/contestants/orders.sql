-- The columns of Comanda's own table, without its checks, its reference to users and its two indexes for lists.
create table orders (
  order_id uuid primary key,
  user_id integer not null,
  item_description varchar(256) not null,
  item_quantity integer not null,
  item_price integer not null,
  total_value bigint not null,
  status text not null,
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
