-- Up Migration

-- From now on taken_names holds the names of erased users alone, as an HMAC that the api makes under PSEUDONYM_KEY: a plain
-- hash of a name is guessed. Those of before are keyed by the first api that starts (src/store/taken-names.ts).
--
-- Processes of the release before run beside the new ones for a while. Whom they erase is caught by the trigger below, as a
-- plain hash, until an api keys it; the new release looks for either. They themselves do not see a keyed name: until the last
-- of them is gone a name that is erased meanwhile can be registered through them.

-- Holds up registrations and changes of users while it lasts, neither logins nor bookings.
lock table users in share row exclusive mode;
alter table taken_names add column keyed boolean not null default false;
delete from taken_names using users where name_hash = sha256(convert_to(users.nick_name, 'UTF8'));
create index taken_names_to_key on taken_names (name_hash) where not keyed;

create function keep_erased_name() returns trigger language plpgsql as $$
begin
  insert into taken_names (name_hash) values (sha256(convert_to(old.nick_name, 'UTF8'))) on conflict do nothing;
  return null;
end
$$;
create trigger users_keep_erased_name after update of nick_name on users
  for each row when (old.nick_name is not null and new.nick_name is null and current_setting('comanda.names', true) is distinct from 'keyed')
  execute function keep_erased_name();

drop trigger users_take_name on users;
drop trigger users_change_name on users;
drop function take_name();

-- Whose event it is, where its bytes can be read: for that person's export, and for their erasure.
alter table parked_events add column user_id integer;
-- Of events that this service wrote itself: its JSON escapes every quotation mark inside a text.
update parked_events set user_id = found.id::integer
from (select hash as of, (regexp_match(encode(raw, 'escape'), '"user_id":([1-9][0-9]{0,9})[,}]'))[1]::bigint as id from parked_events
  where reason in ('unknown_user', 'not_storable', 'attempts_exhausted')) as found
where hash = found.of and found.id <= 2147483647;
create index parked_events_by_user on parked_events (user_id, hash) where user_id is not null;
