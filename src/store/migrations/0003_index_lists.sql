-- Up Migration

-- Lists by any filter, read backward. Each holds one ascending run a status, so a page is five short range scans at most,
-- however rare the status; ascending, because what is inserted at the end of a run splits pages without leaving them half
-- empty: they cost the worker no more than the two descending ones before, which held no status.
create index orders_by_user_and_status on orders (user_id, status, created_at, order_id);
create index orders_by_status on orders (status, created_at, order_id);
drop index orders_by_user;
drop index orders_by_time;

-- Cursors hold milliseconds: a row between two of them could be skipped at the border of two pages. Not valid: the rows
-- there are were written by the worker, in milliseconds, and need no reading under the lock.
alter table orders add constraint orders_created_in_milliseconds check (created_at = date_trunc('milliseconds', created_at)) not valid;
