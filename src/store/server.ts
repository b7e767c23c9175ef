import { type Client, run } from './database.js'

/** What the server says of itself; settings as this session has them. */
export interface ServerState {
  version: string
  fsync: boolean
  full_page_writes: boolean
  synchronous_commit: string
  read_only: boolean
  /** a replica */
  in_recovery: boolean
  /** Settings by which it writes the values of statements to its log. */
  logs_values: string[]
  /** Left for users that are no superusers, by the server's and the database's limit. */
  connections_free: number
  connections_most: number
}

export async function serverState (client: Client): Promise<ServerState> {
  const [row] = await run<ServerState>(client, 'server_state', `
    with server as (
      select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true)::integer, 0) as most,
        (select sum(numbackends) from pg_stat_database)::integer as taken
    ), own as (
      select nullif(datconnlimit, -1) as most, numbackends as taken
      from pg_database join pg_stat_database on datid = oid where pg_database.datname = current_database()
    )
    select current_setting('server_version') as version,
      current_setting('fsync')::boolean as fsync,
      current_setting('full_page_writes')::boolean as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit,
      current_setting('transaction_read_only')::boolean as read_only,
      pg_is_in_recovery() as in_recovery,
      array_remove(array[
        case when current_setting('log_parameter_max_length_on_error', true) <> '0' then 'log_parameter_max_length_on_error' end,
        case when current_setting('log_parameter_max_length', true) <> '0' and current_setting('log_statement') in ('mod', 'all') then 'log_statement' end,
        case when current_setting('log_parameter_max_length', true) <> '0' and current_setting('log_min_duration_statement') <> '-1' then 'log_min_duration_statement' end,
        case when current_setting('log_parameter_max_length', true) <> '0' and current_setting('log_min_duration_sample', true) <> '-1' then 'log_min_duration_sample' end
      ], null) as logs_values,
      least(server.most - server.taken, own.most - own.taken) as connections_free,
      least(server.most, own.most) as connections_most
    from server, own`, [])
  return row!
}

/** What a watch asks again and again. `read_only`: it takes no writes, as a standby, or by its settings. */
export async function serverNow (client: Client): Promise<{ version: string, read_only: boolean }> {
  const [row] = await run<{ version: string, read_only: boolean }>(client, 'server_now', `
    select current_setting('server_version') as version, current_setting('transaction_read_only')::boolean as read_only`, [])
  return row!
}

/** The server's clock, in milliseconds since 1970. */
export async function serverClock (client: Client): Promise<number> {
  const [row] = await run<{ now: number }>(client, 'server_clock', 'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now', [])
  return row!.now
}
