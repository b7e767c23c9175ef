import { MARK, RELIED_ON } from './connections.js'
import type { Client } from './database.js'
import { storeError } from './failures.js'

/** What Comanda needs of a database and does not find there. */
export interface Unmet {
  check: 'encoding' | 'session' | 'schema' | 'rights'
  found: string
  advice: string
  /** Nothing but another database helps. */
  final: boolean
}

/** A database that does not do as it is, told in one sentence or more. */
export class UnfitDatabase extends Error {
  override readonly name = 'UnfitDatabase'
  /** Nothing but another database helps. */
  readonly final: boolean

  constructor (unmet: readonly Unmet[]) {
    super(unmet.map(({ found, advice }) => `${found}: ${advice}`).join('; '))
    this.final = unmet.some(({ final }) => final)
  }
}

interface Row {
  database: string
  role: string
  encoding: string
  schema: string | null
  settings: Record<string, string>
  denied: string[]
}

/**
 * Looks at what a session has as it reached the server, by whatever way, and changes nothing.
 * @param pooling how it was opened: what is missing is told in its terms
 * @throws StoreError
 */
export async function unmetRequirements (client: Client, pooling: 'session' | 'transaction'): Promise<Unmet[]> {
  // Without a name: behind a pooler that nobody told us of, a second session would find the first one's statement.
  const { rows: [row] } = await client.query<Row>(`
    select current_database() as database, current_user as role, current_setting('server_encoding') as encoding, current_schema() as schema,
      (select json_object_agg(name, coalesce(current_setting(name, true), '')) from unnest($1::text[]) as name) as settings,
      (select coalesce(json_agg(relname order by relname), '[]') from pg_class
        where relkind = 'r' and relname = any($2) and pg_table_is_visible(pg_class.oid)
        and not (has_table_privilege(pg_class.oid, 'select') and has_table_privilege(pg_class.oid, 'insert'))) as denied`,
  [[...Object.keys(RELIED_ON), MARK.name], TABLES]).catch((error: unknown) => { throw storeError(error) })
  const { schema, denied, role } = row!
  return [
    ...encoding(row!),
    ...(pooling === 'session' ? kept(row!) : inherited(row!)),
    ...(schema === null ? [{ check: 'schema' as const, found: `search_path names no schema that exists and that ${role} may use`, advice: `create schema ... authorization ${role}, or correct search_path`, final: false }] : []),
    ...(denied.length > 0 ? [{ check: 'rights' as const, found: `${role} may not read and write ${denied.join(', ')} (42501)`, advice: `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`, final: false }] : [])
  ]
}

/** Those that every process reads and writes. */
const TABLES = ['users', 'orders', 'order_events', 'fallback_queue', 'parked_events', 'parked_actions', 'taken_names', 'actions']

function encoding ({ database, encoding }: Row): Unmet[] {
  if (encoding === 'UTF8') return []
  return [{
    check: 'encoding',
    found: `database ${database} is encoded in ${encoding}: it cannot hold what people write, and UTF8 is needed`,
    advice: 'create another: create database ... template template0 encoding \'UTF8\', with a locale of UTF-8; then name it in DATABASE_URL',
    final: true
  }]
}

/** The settings that a session was opened with, unless something in between kept them to itself. */
function kept ({ settings }: Row): Unmet[] {
  if (settings[MARK.name] === MARK.value) return []
  return [{
    check: 'session',
    found: 'the settings of a session do not reach the server: a pooler in between (PgBouncer?) passes them over',
    advice: 'set DATABASE_POOLING=transaction',
    final: false
  }]
}

/** Through a pooler nothing can be set: what the role has by default must do. */
function inherited ({ settings, role }: Row): Unmet[] {
  const wrong = Object.entries(RELIED_ON).filter(([name, value]) => !isEnough(name, settings[name]!, value))
  if (wrong.length === 0) return []
  return [{
    check: 'session',
    found: `sessions have by default what statements cannot bear: ${wrong.map(([name]) => `${name} is ${settings[name]}`).join(', ')}`,
    advice: wrong.map(([name, value]) => `alter role ${role} set ${name} = ${value.split(', ').map((one) => `'${one}'`).join(', ')}`).join('; ') + '; then let the pooler reconnect',
    final: false
  }]
}

/** A moment is written with its offset, in any zone; which of day and month comes first is nothing to ISO 8601. */
function isEnough (name: string, found: string, wanted: string): boolean {
  if (name === 'TimeZone') return true
  return name === 'DateStyle' ? found.startsWith('ISO') : found === wanted
}

/** What a pooler in transaction mode makes of a session, in words that lead out of it; null for any other failure. */
export function poolerFault (error: unknown): Pick<Unmet, 'found' | 'advice'> | null {
  const { message, code, sqlstate = code, cause } = error as { message: string, code?: string, sqlstate?: string, cause?: unknown }
  const said = cause instanceof Error ? cause.message : message
  if (!/unsupported startup parameter/.test(said) && !(sqlstate === '26000' || sqlstate === '42P05')) return null
  return { found: `a pooler is in between that keeps no session (${said})`, advice: 'set DATABASE_POOLING=transaction' }
}
