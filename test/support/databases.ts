import pg from 'pg'
import { startMark } from '../../local/processes.js'
import { migrate } from '../../src/store/migrate.js'

/** The same server, another database. */
export function databaseUrl (serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** One migrated database that every test file's own is copied from: 20 ms instead of the migrations each time. */
export async function createTemplate (serverUrl: string, name: string): Promise<void> {
  await administer(serverUrl, `create database ${name}`)
  await migrate(databaseUrl(serverUrl, name))
}

export async function dropDatabase (serverUrl: string, name: string): Promise<void> {
  await administer(serverUrl, `drop database if exists ${name} with (force)`)
}

/** The template of a run and whatever was copied from it. */
export async function dropDatabases (serverUrl: string, run: string): Promise<void> {
  for (const name of await databasesLike(serverUrl, `${run}%`)) await dropDatabase(serverUrl, name)
}

/** Those of runs that were killed: a run's name holds the pid of its process. Only where that process would be on this machine. */
export async function dropLeftDatabases (serverUrl: string): Promise<void> {
  if (!/^(localhost|127\.|\[::1\])/.test(new URL(serverUrl).hostname)) return
  for (const name of await databasesLike(serverUrl, 'comanda_test_%')) {
    const pid = Number(/^comanda_test_(\d+)/.exec(name)?.[1])
    if (pid > 0 && startMark(pid) === null) await dropDatabase(serverUrl, name)
  }
}

async function databasesLike (serverUrl: string, pattern: string): Promise<string[]> {
  const rows = await administer<{ datname: string }>(serverUrl, `select datname from pg_database where datname like '${pattern.replaceAll('_', '\\_')}'`)
  return rows.map(({ datname }) => datname)
}

export async function copyTemplate (serverUrl: string, template: string, name: string): Promise<string> {
  await administer(serverUrl, `create database ${name} template ${template}`)
  return databaseUrl(serverUrl, name)
}

export async function administer<Row extends object> (serverUrl: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}
