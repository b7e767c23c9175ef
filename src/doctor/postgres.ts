import type pg from 'pg'
import { openClient } from '../store/connections.js'
import type { Client } from '../store/database.js'
import type { CursorName } from '../store/feed-cursors.js'
import { howToCreate, migrationState } from '../store/migrate.js'
import { poolerFault, unmetRequirements } from '../store/requirements.js'
import { type ServerState, serverClock, serverState } from '../store/server.js'
import { inTime } from '../time/in-time.js'
import type { Where } from './address.js'
import { noteBacklog } from './backlog.js'
import { type Clock, noteClock } from './clock.js'
import type { Notes } from './finding.js'
import { ANSWER_MS } from './limits.js'
import { type Explain, explain } from './trouble.js'
import { noteVersion } from './versions.js'

/** A process holds so many at most: its pool, and what is reserved for the fallback queue and the watch. */
const CONNECTIONS_OF_A_PROCESS = 13

/** SQLSTATE (PostgreSQL manual, appendix A). */
const REFUSALS: Record<string, Explain> = {
  '28P01': ({ at, user, variable }) => ({ found: `${at} refuses user ${user} with this password`, advice: `correct user and password in ${variable}` }),
  28000: ({ at, user, name, variable }) => ({
    found: `${at} does not let user ${user} into database ${name}: there is no such user, or its pg_hba.conf has no line for this user, host and kind of connection`,
    advice: `correct the user in ${variable}, create it, or add the line (one that begins with hostssl wants ?sslmode=require)`
  }),
  '3D000': ({ at, name, variable }) => ({ found: `${at} has no database ${name}`, advice: `create it, or correct the name in ${variable}` }),
  42501: ({ user, name }) => ({ found: `user ${user} may not connect to database ${name}`, advice: `grant connect on database ${name} to ${user}` }),
  53300: ({ at }) => ({ found: `${at} has no connection left`, advice: 'end some, or raise max_connections' }),
  55000: ({ name }) => ({ found: `database ${name} takes no connections`, advice: `alter database ${name} allow_connections true` }),
  '57P03': ({ at }) => ({ found: `${at} is starting, stopping or recovering`, advice: 'wait; if it lasts see its log' })
}

/** @param notes is added to as answers come, so that what was found before a silence is kept */
export async function examinePostgres (notes: Notes, { url, address, env }: Where, now: Clock): Promise<void> {
  const database = { url, pooling: env.DATABASE_POOLING === 'transaction' ? 'transaction' as const : 'session' as const }
  let client: pg.Client | undefined
  try {
    client = openClient(database, 'doctor', { connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS, statement_timeout: ANSWER_MS / 2 })
    client.on('error', () => {}) // the statement under way reports it
    await client.connect()
    notes.ok('connection', `database ${address.name} at ${address.at} lets user ${address.user} in`)
    if (await noteRequirements(notes, client, database.pooling)) await examine(client, notes, now, [...(env.AMQP_URL ? ['exchange' as const] : []), ...(env.WEBHOOKS === 'off' ? [] : ['webhooks' as const])])
  } catch (error) {
    notes.trouble(poolerFault(error) ?? explain(codeOf(error), error, address, REFUSALS))
  } finally {
    if (client) await leave(client)
  }
}

/** @returns whether statements of ours work there as they are meant */
async function noteRequirements (notes: Notes, client: Client, pooling: 'session' | 'transaction'): Promise<boolean> {
  const unmet = await unmetRequirements(client, pooling)
  for (const { check, found, advice } of unmet) notes.wrong(check, found, advice)
  if (unmet.length === 0) notes.ok('requirements', `UTF8, and sessions as they are relied on${pooling === 'transaction' ? ', through a pooler' : ''}`)
  return unmet.every(({ check }) => check === 'encoding' || check === 'rights')
}

async function examine (client: Client, notes: Notes, now: Clock, told: readonly CursorName[]): Promise<void> {
  const state = await serverState(client)
  noteVersion(notes, state.version)
  noteDurability(notes, state)
  noteConnections(notes, state)
  noteServerLog(notes, state)
  await noteClock(notes, now, async () => await serverClock(client))
  if (await noteMigrations(notes, client)) await noteBacklog(notes, client, told)
}

function noteDurability (notes: Notes, { fsync, full_page_writes, synchronous_commit, read_only, in_recovery }: ServerState): void {
  const off = [...(fsync ? [] : ['fsync']), ...(full_page_writes ? [] : ['full_page_writes']), ...(synchronous_commit === 'off' ? ['synchronous_commit'] : [])]
  if (off.length === 0) notes.ok('durability', 'what is committed is on disk')
  else notes.wrong('durability', `${off.join(' and ')} off: a crash of that machine loses orders that were answered 202`, `set ${off.join(' and ')} to on`)
  if (in_recovery) notes.wrong('writes', 'a replica: nothing can be written', 'name the primary in DATABASE_URL')
  else if (read_only) notes.wrong('writes', 'read-only: nothing can be booked', 'set default_transaction_read_only to off for the server, the database and the user')
  else notes.ok('writes', 'taken')
}

function noteConnections (notes: Notes, { connections_free, connections_most }: ServerState): void {
  const found = `${connections_free} of ${connections_most} free`
  if (connections_free >= CONNECTIONS_OF_A_PROCESS) notes.ok('connections', found)
  else notes.warn('connections', `${found}: not enough for one more api or worker, which takes up to ${CONNECTIONS_OF_A_PROCESS}`, 'raise max_connections, or run fewer processes')
}

/** No statement of ours fails by a personal value; a server that logs what statements are given writes down all of them. */
function noteServerLog (notes: Notes, { logs_values }: ServerState): void {
  if (logs_values.length === 0) return notes.ok('server log', 'holds no values of statements')
  const found = `${logs_values.join(' and ')}: personal values get into the server's log, which no erasure reaches`
  notes.warn('server log', found, 'set log_parameter_max_length and log_parameter_max_length_on_error to 0')
}

/** @returns whether there are tables to look into */
async function noteMigrations (notes: Notes, client: Client): Promise<boolean> {
  const { pending, unknown, inOrder, applied, mayCreate, ...place } = await migrationState(client)
  if (!inOrder) notes.wrong('tables', `applied in another order than this build's: ${pending.join(', ')} is missing in between`, 'no process of this build starts on them: use a build that knows these tables, or restore a backup')
  else if (pending.length > 0 && !mayCreate) notes.wrong('tables', `not applied yet: ${pending.join(', ')}`, howToCreate(place))
  else if (pending.length > 0) notes.warn('tables', `not applied yet: ${pending.join(', ')}`, 'run `comanda migrate`, or start an api or worker, which does it')
  else if (unknown.length > 0) notes.warn('tables', `newer than this build: ${unknown.join(', ')}`, 'fine while a newer release is rolled out; then run that one here too')
  else notes.ok('tables', 'as this build needs them')
  return applied > 0
}

/** pg tells a few things by text alone. */
function codeOf (error: unknown): string | undefined {
  const { code, message, sqlstate, cause } = error as { code?: string, message: string, sqlstate?: string, cause?: unknown }
  if (cause instanceof Error) return sqlstate ?? codeOf(cause)
  if (/timeout expired|timeout exceeded|read timeout/i.test(message)) return 'SILENCE'
  if (/does not support SSL/.test(message)) return 'NO_TLS'
  if (/terminated unexpectedly/.test(message)) return 'CLOSED'
  return code
}

/** A silent server never ends a connection: it is cut. */
async function leave (client: pg.Client): Promise<void> {
  await inTime(client.end(), ANSWER_MS / 10).catch(() => client.connection.stream.destroy())
}
