-- Up Migration

-- Raised by whatever ends a user's sessions; every token names the epoch it was given in.
alter table users add column session_epoch integer not null default 0;

-- Every nick_name that somebody has, or had when they were erased, as SHA-256. A unique index on users alone would free a
-- name with its erasure.
create table taken_names (name_hash bytea primary key);

create function take_name() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from taken_names where name_hash = sha256(convert_to(old.nick_name, 'UTF8'));
  end if;
  insert into taken_names (name_hash) values (sha256(convert_to(new.nick_name, 'UTF8')));
  return null;
end
$$;

create trigger users_take_name after insert on users
  for each row when (new.nick_name is not null) execute function take_name();
-- Erasure makes the name null, and so keeps it taken.
create trigger users_change_name after update of nick_name on users
  for each row when (new.nick_name is not null and new.nick_name is distinct from old.nick_name) execute function take_name();

insert into taken_names (name_hash) select sha256(convert_to(nick_name, 'UTF8')) from users where nick_name is not null;

-- For a person's export: the events that no order row leads to. Few, so it costs the worker nothing.
create index order_events_off_chain_by_user on order_events ((data ->> 'user_id')) where outcome <> 'applied';
