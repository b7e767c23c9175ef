import pg from 'pg'
import { startMark } from '../local/processes.js'
import { migrate } from '../src/store/migrate.js'

/** Milliseconds; copying a database takes seconds on a busy machine. */
const LIMIT_MS = 60_000

/** Runs statements one after the other on a connection of its own. @returns the rows of the last one */
export async function administer<Row extends object> (url: string, ...statements: string[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: LIMIT_MS, query_timeout: LIMIT_MS })
  client.on('error', () => {}) // the statement under way reports it
  await client.connect()
  try {
    let rows: Row[] = []
    for (const statement of statements) rows = (await client.query<Row>(statement)).rows
    return rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** The same server, another database. */
export function databaseUrl (serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** @returns its URL */
export async function createDatabase (serverUrl: string, name: string): Promise<string> {
  await administer(serverUrl, `create database ${name} template template0 encoding 'UTF8'`)
  return databaseUrl(serverUrl, name)
}

/** One migrated database that others are copied from: 20 ms instead of the migrations each time. */
export async function createTemplate (serverUrl: string, name: string): Promise<void> {
  await migrate(await createDatabase(serverUrl, name))
}

/** @returns the copy's URL */
export async function copyTemplate (serverUrl: string, template: string, name: string): Promise<string> {
  await administer(serverUrl, `create database ${name} template ${template}`)
  return databaseUrl(serverUrl, name)
}

export async function dropDatabase (serverUrl: string, name: string): Promise<void> {
  await administer(serverUrl, `drop database if exists ${name} with (force)`)
}

/** The template of a run and whatever was copied from it. */
export async function dropDatabases (serverUrl: string, run: string): Promise<void> {
  for (const name of await databasesLike(serverUrl, `${run}%`)) await dropDatabase(serverUrl, name)
}

/**
 * Those of runs that were killed: a run's name holds the pid of its process, as `<prefix>_<pid>`. Only where that process would
 * be on this machine.
 */
export async function dropAbandonedDatabases (serverUrl: string, prefix: string): Promise<void> {
  if (!/^(localhost|127\.|\[::1\])/.test(new URL(serverUrl).hostname)) return
  for (const name of await databasesLike(serverUrl, `${prefix}_%`)) {
    const pid = Number(/^_(\d+)/.exec(name.slice(prefix.length))?.[1])
    if (pid > 0 && startMark(pid) === null) await dropDatabase(serverUrl, name)
  }
}

async function databasesLike (serverUrl: string, pattern: string): Promise<string[]> {
  const rows = await administer<{ datname: string }>(serverUrl, `select datname from pg_database where datname like '${pattern.replaceAll('_', '\\_')}'`)
  return rows.map(({ datname }) => datname)
}
