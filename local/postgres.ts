import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { postgresAnswers } from './answers.js'
import { runCommand } from './command.js'
import { freePort } from './ports.js'
import { machinePostgres, npmPostgres, serverUser, type PostgresBinaries } from './postgres-binaries.js'
import { commandName, spawnServer, startMark } from './processes.js'
import { leftRunning, runningServer, untilReady } from './running-server.js'
import type { Env, Running } from './service.js'
import { keptPassword, lastServer, makeFolder, readIfThere, recordServer } from './state-folder.js'

const owner = 'comanda'
const serverEnv = { LC_ALL: 'C', TZ: 'UTC' }

export interface PostgresStart {
  /** This server's own folder: data, log, password. Data of an earlier start in it is used again. */
  readonly stateDir: string
  readonly env: Env
  /** Default: the last one, else a free one. */
  readonly port?: number
  /** False: no fsync, for data that is thrown away. It still survives a killed server, but not a fallen machine. */
  readonly durable?: boolean
  /** Default: from npm, else the machine's. */
  readonly binaries?: PostgresBinaries
  /** More server settings, as { max_connections: '50' }. */
  readonly settings?: Readonly<Record<string, string>>
}

const urlOf = (password: string, port: number, database: string) =>
  `postgres://${owner}:${password}@127.0.0.1:${port}/${database}`

/** Tried in the order of the decision: from npm, then the machine's. Throws naming both reasons. */
async function anyBinaries (start: PostgresStart): Promise<PostgresBinaries> {
  const fromNpm = await npmPostgres(start.stateDir)
  if (typeof fromNpm !== 'string') return fromNpm
  const machine = await machinePostgres(start.env)
  if (typeof machine !== 'string') return machine
  throw new Error(`no Postgres server: ${fromNpm}, ${machine}`)
}

/** Makes the data folder beside its final place, so that an initdb cut short leaves nothing that looks finished. */
async function makeData (binaries: PostgresBinaries, start: PostgresStart, data: string): Promise<void> {
  const { stateDir } = start
  const fresh = `${data}.unfinished`
  const passwordFile = `${data}.password`
  const user = serverUser()
  const enters = await runCommand('/bin/sh', ['-c', 'cd "$1"', 'sh', stateDir], { env: serverEnv, limitMs: 5000, user, cwd: '/' })
  if (user !== undefined && !enters.ok) throw new Error(`Postgres runs as user ${user.uid}, who cannot enter ${stateDir}: use another folder`)
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { mode: 0o700 })
  writeFileSync(passwordFile, keptPassword(stateDir), { mode: 0o600 })
  if (user !== undefined) for (const path of [fresh, passwordFile]) chownSync(path, user.uid, user.gid)
  // the built-in locale sorts and folds case the same on every machine; older servers have C alone
  const locale = Number.parseInt(binaries.version) >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []
  const args = ['-D', fresh, '-U', owner, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', ...locale, ...(start.durable ?? true ? [] : ['--no-sync'])]
  const made = await runCommand(join(binaries.bin, 'initdb'), args, { env: serverEnv, limitMs: 60_000, user, cwd: '/' })
  rmSync(passwordFile, { force: true })
  if (!made.ok) throw new Error(`initdb in ${fresh} failed: ${made.stderr.trim()}`)
  renameSync(fresh, data)
}

/**
 * A postmaster.pid left by a fallen machine may name a pid that another program has by now; Postgres would refuse to
 * start. One that names a living Postgres is not ours to remove: throws.
 */
function clearStalePid (data: string): void {
  const file = join(data, 'postmaster.pid')
  const pid = Number.parseInt(readIfThere(file) ?? '')
  if (Number.isNaN(pid) || startMark(pid) === null) return
  if (/postgres/i.test(commandName(pid))) throw new Error(`another Postgres (process ${pid}) is running on ${data}`)
  rmSync(file, { force: true })
}

async function makeDatabase (password: string, port: number): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(password, port, 'postgres') })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [owner])
    if (rowCount === 0) await client.query(`create database ${owner}`)
  } finally {
    await client.end()
  }
}

function settingsOf (start: PostgresStart, port: number): string[] {
  const cheap = { fsync: 'off', full_page_writes: 'off', max_connections: '200' }
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ...(start.durable ?? true ? {} : cheap),
    ...start.settings
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/**
 * Starts a Postgres of this folder's own on 127.0.0.1, or adopts the one a killed launcher left running in it.
 * The URL's user is a superuser, its database exists. Throws when there are no binaries or the server does not answer
 * within 60 s (recovery of a large log included).
 */
export async function startPostgres (start: PostgresStart): Promise<Running> {
  const stateDir = makeFolder(start.stateDir)
  const password = keptPassword(stateDir)
  const answers = (port: number) => postgresAnswers(urlOf(password, port, 'postgres'), 1000)
  const handle = (record: { pid: number, port: number }, adopted: boolean) => runningServer({
    url: urlOf(password, record.port, owner), stateDir, record, adopted, stopSignal: 'SIGINT', stopLimitMs: 15_000
  })
  const left = await leftRunning(stateDir, record => answers(record.port))
  if (left !== null) {
    await makeDatabase(password, left.port)
    return handle(left, true)
  }
  const binaries = start.binaries ?? await anyBinaries(start)
  const data = join(stateDir, `data-${Number.parseInt(binaries.version)}`)
  if (!existsSync(data)) await makeData(binaries, start, data)
  clearStalePid(data)
  const port = start.port ?? await freePort(lastServer(stateDir)?.port)
  const log = join(stateDir, 'log')
  const pid = spawnServer({
    command: join(binaries.bin, 'postgres'), args: ['-D', data, ...settingsOf(start, port)], env: serverEnv, cwd: stateDir, log, user: serverUser()
  })
  recordServer(stateDir, { pid, port })
  await untilReady({ what: 'Postgres', pid, log, limitMs: 60_000, answers: () => answers(port) })
  await makeDatabase(password, port)
  return handle({ pid, port }, false)
}
