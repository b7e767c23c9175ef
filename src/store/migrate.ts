import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { runner as Runner } from 'node-pg-migrate'
import pg from 'pg'
import { type Client, run } from './database.js'
import { storeError } from './failures.js'

const MIGRATIONS = fileURLToPath(new URL('migrations', import.meta.url))

const LOCK_RETRY_MS = 100

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
 * @throws StoreError; once `signal` is aborted, its reason
 */
export async function migrate (databaseUrl: string, { signal, onWait = () => {} }: MigrateOptions = {}): Promise<string[]> {
  signal?.throwIfAborted()
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2000, application_name: 'comanda migrate' })
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
  if ((await migrationState(client)).pending.length === 0) return []
  // Loaded only where there is something to do: it weighs 20 MiB in every process otherwise.
  const { runner, PG_MIGRATE_LOCK_ID } = await import('node-pg-migrate')
  await takeLock(client, PG_MIGRATE_LOCK_ID, onWait, signal)
  const applied = await runner({
    dbClient: client,
    dir: MIGRATIONS,
    direction: 'up',
    loader: 'legacy',
    migrationsTable: 'migrations',
    noLock: true, // it is held, until this session ends
    log: () => {}
  } as Parameters<typeof Runner>[0])
  return applied.map(({ name }) => name)
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

export interface MigrationState {
  /** how many */
  applied: number
  /** This build's, and not applied yet. */
  pending: string[]
  /** Applied, and not this build's: by a newer one. */
  unknown: string[]
  /** Whether what is pending would come after all that is applied: otherwise `migrate` refuses. */
  inOrder: boolean
}

/** Compares the tables with this build and changes nothing. @throws StoreError */
export async function migrationState (client: Client): Promise<MigrationState> {
  const own = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -'.sql'.length)).sort()
  const [{ made } = { made: false }] = await run<{ made: boolean }>(client, 'migrations_made', "select to_regclass('migrations') is not null as made", [])
  const applied = made ? (await run<{ name: string }>(client, 'migrations_applied', 'select name from migrations order by run_on, id', [])).map(({ name }) => name) : []
  return {
    applied: applied.length,
    pending: own.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !own.includes(name)),
    inOrder: own.slice(0, applied.length).every((name, index) => name === applied[index])
  }
}
