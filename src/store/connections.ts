import pg from 'pg'
import type { Database } from '../addresses/service-urls.js'
import { columnTypes } from './database.js'
import { storeError } from './failures.js'
import { clientOf, firstServer, namesServers, WritableServer } from './writable-server.js'

/**
 * What statements of ours rely on, whatever server, database and role have as defaults: moments are read as ISO 8601, numbers
 * with all their digits, NULL in an array is null, a transaction sees what was committed while it waited for a lock.
 */
export const RELIED_ON: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read committed'
}
/** Tells a session that had our settings from one whose settings a pooler kept to itself. */
export const MARK = { name: 'comanda.session', value: 'set' }

/** Milliseconds. Of the server (`statement_timeout` and the like) they are known to a session, of the driver to any. */
export type Limits = Pick<pg.PoolConfig, 'max' | 'connectionTimeoutMillis' | 'idleTimeoutMillis' | 'query_timeout' | 'statement_timeout' | 'lock_timeout' | 'idle_in_transaction_session_timeout'>

/**
 * How every connection of ours is opened. The settings travel in its first packet, after those that the URL gives
 * (`?options=-c search_path=shop`): no statement comes before them, and none is spent on them.
 */
export function clientSettings ({ url, pooling }: Database, application: string, limits: Limits = {}): pg.PoolConfig {
  const common = { connectionTimeoutMillis: 2000, ...limits, application_name: `comanda ${application}`, types: columnTypes }
  const Base = pooling === 'session' ? pg.Client : UnnamedStatements
  const Client = namesServers(url) ? clientOf(new WritableServer(url), Base) : Base
  const first = firstServer(url)
  if (pooling === 'session') return { ...common, connectionString: withOptions(first), Client }
  const { statement_timeout: _, lock_timeout: __, idle_in_transaction_session_timeout: ___, ...rest } = common
  return { ...rest, connectionString: first, Client }
}

/** Closes the connections that nothing uses: the next are opened where the server is now. @throws StoreError */
export async function dropIdle (pool: pg.Pool): Promise<void> {
  for (let left = pool.idleCount; left > 0; left--) {
    const client = await pool.connect().catch((error: unknown) => { throw storeError(error) })
    client.release(true)
  }
}

/** One connection. */
export function openClient (database: Database, application: string, limits: Limits = {}): pg.Client {
  const { Client = pg.Client, ...settings } = clientSettings(database, application, limits)
  return new (Client as typeof pg.Client)(settings)
}

/** For a command, which does one thing after another. */
export function openPool (database: Database, application: string): pg.Pool {
  const pool = new pg.Pool(clientSettings(database, application, { max: 1 }))
  return pool.on('error', () => {}) // the statement under way reports it
}

function withOptions (url: string): string {
  const target = new URL(url)
  const own = Object.entries({ ...RELIED_ON, [MARK.name]: MARK.value }).map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  target.searchParams.set('options', [target.searchParams.get('options') ?? '', ...own].join(' ').trim())
  return target.href
}

type Query = (statement: unknown, ...rest: unknown[]) => unknown

/** A name is known to one connection of the server, and the next transaction is on another: each statement is parsed anew. */
class UnnamedStatements extends pg.Client {
  constructor (settings?: pg.ClientConfig) {
    super(settings)
    const query = this.query.bind(this) as Query
    const unnamed: Query = (statement, ...rest) => query(isNamed(statement) ? { ...statement, name: undefined } : statement, ...rest)
    Object.assign(this, { query: unnamed })
  }
}

function isNamed (statement: unknown): statement is { name: string } {
  return typeof statement === 'object' && statement !== null && 'name' in statement
}
