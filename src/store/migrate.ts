import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { runner as Runner } from 'node-pg-migrate'
import type pg from 'pg'
import type { Database } from '../addresses/service-urls.js'
import { openClient } from './connections.js'
import { type Client, run } from './database.js'
import { storeError } from './failures.js'
import { UnfitDatabase, unmetRequirements } from './requirements.js'

const MIGRATIONS = fileURLToPath(new URL('migrations', import.meta.url))

const FIRST = '0001_create_tables'
const LOCK_RETRY_MS = 100
/** What role or database set is meant for statements of requests: it would end a migration of a full table, at every start anew. Postgres 17 has both. */
const NO_TIME_LIMIT = "select set_config(name, '0', false) from pg_settings where name in ('statement_timeout', 'transaction_timeout')"

export interface MigrateOptions {
  /** Ends the wait for the lock, and whatever is under way: the server rolls it back. */
  signal?: AbortSignal
  /** Told once, when another process has the lock. */
  onWait?: () => void
}

/**
 * Applies what is missing of the numbered migrations, each in a transaction, under an advisory lock: several processes
 * starting at once queue up and all but the first find nothing to do.
 * @returns the names of the migrations applied
 * @param url of the server itself: a lock is held for the session
 * @throws UnfitDatabase, NotMigrated, StoreError; once `signal` is aborted, its reason
 */
export async function migrate (url: string, { signal, onWait = () => {} }: MigrateOptions = {}): Promise<string[]> {
  signal?.throwIfAborted()
  const client = openClient({ url, pooling: 'session' }, 'migrate')
  client.on('error', () => {}) // the query under way reports it
  try {
    // Of a client that is ended while it connects the driver never settles the connecting.
    return await Promise.race([applyPending(client, onWait, signal), abortion(signal)])
  } catch (error) {
    signal?.throwIfAborted()
    throw storeError(error)
  } finally {
    const ended = client.end().catch(() => {})
    if (signal?.aborted !== true) await ended
  }
}

async function applyPending (client: pg.Client, onWait: () => void, signal: AbortSignal | undefined): Promise<string[]> {
  await client.connect()
  const before = await fitState(client, 'session')
  if (before.pending.length === 0) return []
  if (!before.mayCreate) throw new NotMigrated(before)
  // Loaded only where there is something to do: it weighs 20 MiB in every process otherwise.
  const { runner, PG_MIGRATE_LOCK_ID } = await import('node-pg-migrate')
  await client.query(NO_TIME_LIMIT)
  await takeLock(client, PG_MIGRATE_LOCK_ID, onWait, signal)
  const place = await placeOf(client)
  const applied = await runner({
    dbClient: client,
    dir: MIGRATIONS,
    direction: 'up',
    loader: 'legacy',
    schema: place.schema,
    migrationsTable: place.table,
    noLock: true, // it is held, until this session ends
    log: () => {}
  } as Parameters<typeof Runner>[0])
  return applied.map(({ name }) => name)
}

/** For a process that does not migrate. @throws UnfitDatabase, NotMigrated, StoreError where it cannot work on this database as it is */
export async function checkTables (client: Client, pooling: Database['pooling']): Promise<void> {
  const state = await fitState(client, pooling)
  if (state.pending.length > 0) throw new NotMigrated({ ...state, mayCreate: true })
}

async function fitState (client: Client, pooling: Database['pooling']): Promise<MigrationState> {
  const unmet = await unmetRequirements(client, pooling)
  if (unmet.length > 0) throw new UnfitDatabase(unmet)
  return await migrationState(client)
}

async function abortion (signal: AbortSignal | undefined): Promise<never> {
  await (signal ? once(signal, 'abort') : new Promise<never>(() => {}))
  signal?.throwIfAborted()
  throw new Error('not aborted')
}

/** The library's own wait is one statement that neither ends at a signal nor can say that it waits. Its lock is kept: releases before this one take it. */
async function takeLock (client: Client, lock: number, onWait: () => void, signal: AbortSignal | undefined): Promise<void> {
  const isTaken = async () => (await run<{ taken: boolean }>(client, 'migration_lock', 'select pg_try_advisory_lock($1::bigint) as taken', [lock]))[0]!.taken
  if (await isTaken()) return
  onWait()
  do await wait(LOCK_RETRY_MS, undefined, { signal })
  while (!await isTaken())
}

/** How far the tables of a database are, seen from this build. */
export interface MigrationState {
  /** how many */
  applied: number
  /** This build's, and not applied yet. */
  pending: string[]
  /** Applied, and not this build's: by a newer one. */
  unknown: string[]
  /** Whether what is pending would come after all that is applied: otherwise `migrate` refuses. */
  inOrder: boolean
  schema: string
  role: string
  /** Whether this role may create tables in that schema; Postgres 15 and newer give it to nobody but the schema's owner. */
  mayCreate: boolean
}

/** The tables are not as this build needs them, and this process cannot change that. */
export class NotMigrated extends Error {
  override readonly name = 'NotMigrated'

  constructor ({ pending, mayCreate, schema, role }: MigrationState) {
    super(`the tables are not as this build needs them (${pending.join(', ')}): ${mayCreate ? 'run `comanda migrate`' : howToCreate({ schema, role })}`)
  }
}

/** For the operator of a database where nobody may create tables in a schema unasked. */
export function howToCreate ({ schema, role }: Pick<MigrationState, 'schema' | 'role'>): string {
  return `${role} may not create tables in schema ${schema} (42501): grant create on schema ${schema} to ${role}, or run \`comanda migrate\` as a role that may and set MIGRATE=off here`
}

/** Compares the tables with this build and changes nothing. @throws StoreError */
export async function migrationState (client: Client): Promise<MigrationState> {
  const own = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -'.sql'.length)).sort()
  const { table, made, ...rest } = await placeOf(client)
  const applied = made ? (await run<{ name: string }>(client, `migrations_applied_${table}`, `select name from ${table} order by run_on, id`, [])).map(({ name }) => name) : []
  return {
    ...rest,
    applied: applied.length,
    pending: own.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !own.includes(name)),
    inOrder: own.slice(0, applied.length).every((name, index) => name === applied[index])
  }
}

interface Place extends Pick<MigrationState, 'schema' | 'role' | 'mayCreate'> {
  table: string
  /** Whether that table exists. */
  made: boolean
}

/**
 * In which table it stands what was applied: `comanda_migrations`, as search_path finds it, or else of the schema that comes first
 * there. The first builds called it `migrations`, as many applications do: one that holds our first migration is ours and is
 * kept, so that those builds start on it too. (A schema that is put before ours later, as one named after the role, hides nothing.)
 */
async function placeOf (client: Client): Promise<Place> {
  const [found] = await run<Omit<Place, 'table'> & { old: boolean }>(client, 'migrations_place', `
    select schema, current_user as role, has_schema_privilege(schema, 'create') as "mayCreate", made, old
    from (
      select coalesce((select nspname from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = to_regclass('comanda_migrations')), current_schema()) as schema,
        to_regclass('comanda_migrations') is not null as made,
        exists (select from pg_attribute where attrelid = to_regclass('migrations') and attname = 'name') as old
    ) as found`, [])
  const { old, made, ...rest } = found!
  if (made || !old) return { ...rest, made, table: 'comanda_migrations' }
  const [ours] = await run<{ schema: string, mayCreate: boolean }>(client, 'migrations_ours', `
    select nspname as schema, has_schema_privilege(nspname, 'create') as "mayCreate"
    from migrations join pg_class on pg_class.oid = to_regclass('migrations') join pg_namespace on pg_namespace.oid = relnamespace
    where migrations.name::text = $1`, [FIRST])
  return ours ? { ...rest, ...ours, made: true, table: 'migrations' } : { ...rest, made, table: 'comanda_migrations' }
}
