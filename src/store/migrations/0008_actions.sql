-- Up Migration

-- Who did what to what, and when: ids and words, never a value of a person. `actor`: user:<id>, operator:<id>, cli:<name>.
create table actions (
  action_id bigint generated always as identity primary key,
  done_at timestamptz not null default clock_timestamp(),
  actor text not null,
  role text check (role in ('customer', 'operator')),
  way text not null check (way in ('api', 'cli', 'console', 'rule')),
  action text not null,
  target_kind text not null,
  target_id text not null,
  request_id text
);
create index actions_by_actor on actions (actor, action_id);
create index actions_by_target on actions (target_kind, target_id, action_id);

-- Added to, never changed: who did something must not be able to make it undone, be it through a hole in our own statements.
-- `always`: no setting of a session gets around it. Only the owner of the table can take the trigger away, so give the
-- processes a role that does not own it.
create function refuse_change_of_actions() returns trigger language plpgsql as $$
begin
  raise exception 'actions are added to, never changed' using errcode = 'restrict_violation';
end
$$;
create trigger actions_are_kept before update or delete on actions
  for each row execute function refuse_change_of_actions();
create trigger actions_are_not_emptied before truncate on actions
  for each statement execute function refuse_change_of_actions();
alter table actions enable always trigger actions_are_kept;
alter table actions enable always trigger actions_are_not_emptied;
