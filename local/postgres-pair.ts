import { appendFileSync, chownSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { runCommand } from './command.js'
import { type PostgresStart, startPostgres } from './postgres.js'
import { serverUser } from './postgres-binaries.js'
import { until } from './processes.js'
import type { Running } from './service.js'
import { keptPassword, makeFolder, writePrivate } from './state-folder.js'

/** As the primary knows it; what it waits for with each commit. */
const STANDBY = 'standby'
const IN_STEP_LIMIT_MS = 30_000

export interface PostgresPair {
  readonly primary: Running
  /** Streams from the primary, which commits nothing before it has it on disk. */
  readonly standby: Running
  stop (): Promise<void>
}

/**
 * Starts a Postgres of this folder's own and a synchronous standby of it on 127.0.0.1. Resolves when the standby is in step.
 * @param start as of one server; its `stateDir` has one folder for each @throws Error as startPostgres does
 */
export async function startPostgresPair ({ stateDir, settings = {}, ...start }: PostgresStart): Promise<PostgresPair> {
  const [primaryDir, standbyDir] = ['primary', STANDBY].map((name) => makeFolder(join(makeFolder(stateDir), name))) as [string, string]
  const made = await startPostgres({ ...start, stateDir: primaryDir, settings })
  await made.stop()
  await copyAsStandby(primaryDir, standbyDir, made.port)
  const started: Running[] = []
  const stop = async () => { await Promise.all(started.map(async server => await server.stop())) }
  try {
    // the copy is older than what is written from now on: that much is kept for it
    const [primary, standby] = await Promise.all([
      startPostgres({ ...start, stateDir: primaryDir, port: made.port, settings: { ...settings, synchronous_standby_names: STANDBY, wal_keep_size: '256MB' } }),
      startPostgres({ ...start, stateDir: standbyDir, settings })
    ].map(async starting => { const server = await starting; started.push(server); return server })) as [Running, Running]
    await until('the standby is not in step', IN_STEP_LIMIT_MS, async () => await isInStep(primary.url))
    return { primary, standby, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** @param from of a server that ended in order */
async function copyAsStandby (from: string, to: string, primaryPort: number): Promise<void> {
  const name = readdirSync(from).find((entry) => /^data-\d+$/.test(entry))!
  const copied = await runCommand('cp', ['-a', join(from, name), to], { env: { PATH: process.env.PATH }, limitMs: 60_000, cwd: '/' })
  if (!copied.ok) throw new Error(`cp: ${copied.stderr.trim()}`)
  const password = keptPassword(from)
  writePrivate(join(to, 'password'), password)
  const [data, user] = [join(to, name), serverUser()]
  const signal = join(data, 'standby.signal')
  writeFileSync(signal, '', { mode: 0o600 })
  if (user !== undefined) chownSync(signal, user.uid, user.gid)
  // not on the command line, where all of the machine could read the password
  appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = 'host=127.0.0.1 port=${primaryPort} user=comanda password=${password} application_name=${STANDBY}'\n`)
}

async function isInStep (primaryUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: primaryUrl, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ in_step: boolean }>("select exists (select from pg_stat_replication where sync_state = 'sync' and state = 'streaming') as in_step")
    return rows[0]!.in_step
  } finally {
    await client.end()
  }
}
