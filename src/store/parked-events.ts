import { createHash } from 'node:crypto'
import type { OrderEvent } from '../orders/event.js'
import { type Client, run } from './database.js'

export interface ParkedEvent {
  /** Where it was taken from; `dead`: the broker gave it up */
  source: 'queue' | 'fallback' | 'dead'
  reason: string
  attempts: number
  headers: Record<string, unknown>
  /** As it came, never decoded. */
  raw: Buffer
  /** Whose order it is about, where it could be read as an order event. */
  user_id?: number
  /** Where it could be read, for the log. */
  event?: OrderEvent
  /** The defect of ours that it met, for the log. */
  cause?: unknown
}

/** What an operator made of a parked event. */
export type Settlement = 'replayed' | 'discarded'

/** A parked event as it lies in the parking lot. */
export interface ParkedRow extends Omit<ParkedEvent, 'user_id' | 'event' | 'cause'> {
  /** SHA-256 of the bytes, in hex */
  id: string
  parked_at: string
  settlement: Settlement | null
  settled_at: string | null
}

/** Keyed by the hash of the bytes: parking the same bytes again raises the attempts and opens a settled one again. */
export async function park (client: Client, parked: readonly ParkedEvent[]): Promise<void> {
  for (const { source, reason, attempts, headers, raw, user_id = null } of parked) {
    const hash = hashOf(raw)
    await run(client, 'park', `
      insert into parked_events (hash, source, reason, attempts, headers, raw, user_id) values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (hash) do update set attempts = least(parked_events.attempts::bigint + excluded.attempts, 2147483647)::integer, settlement = null, settled_at = null`,
    [hash, source, storable(reason), attempts, storableJson(headers), raw, user_id])
  }
}

// eslint-disable-next-line no-control-regex -- U+0000 is what Postgres stores nowhere
const NUL = /\u0000/g
/** In JSON that was written by JSON.stringify such an escape stands for U+0000 or half a surrogate pair: jsonb takes neither. */
const ESCAPED = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g

/** What strangers wrote must not keep their bytes from being parked. */
function storable (text: string): string {
  return text.replace(NUL, '\ufffd')
}

function storableJson (value: unknown): string {
  return JSON.stringify(value).replace(ESCAPED, '$1\\ufffd')
}

/** The id that it has in the parking lot. */
export function parkedId (raw: Buffer): string {
  return hashOf(raw).toString('hex')
}

function hashOf (raw: Buffer): Buffer {
  return createHash('sha256').update(raw).digest()
}

const COLUMNS = "encode(hash, 'hex') as id, source, reason, attempts, headers, raw, parked_at, settlement, settled_at"

/** Newest first. @param settled those that an operator dealt with too */
export async function listParked (client: Client, { limit, settled }: { limit: number, settled: boolean }): Promise<ParkedRow[]> {
  return await run<ParkedRow>(client, 'list_parked', `
    select ${COLUMNS} from parked_events where $2 or settlement is null order by parked_at desc, hash limit $1`, [limit, settled])
}

/** Those that no operator has dealt with, counted to `most`, and when the latest of these was parked; null where there are none. */
export async function countParked (client: Client, most = 1000): Promise<{ open: number, latest: string | null }> {
  const [row] = await run<{ open: number, latest: string | null }>(client, 'count_parked', `
    select count(*)::integer as open, max(parked_at) as latest
    from (select parked_at from parked_events where settlement is null limit $1) as open`, [most])
  return row!
}

/** Those whose id begins so, at most two: enough to know whether it names one. Locked, so that of two settlements at once one comes first. */
export async function findParked (client: Client, idStart: string): Promise<ParkedRow[]> {
  return await run<ParkedRow>(client, 'find_parked', `
    select ${COLUMNS} from parked_events where encode(hash, 'hex') ^@ $1 order by hash limit 2 for update`, [idStart])
}

export interface ParkedAction { action: Settlement, done_by: string, done_at: string }

/** Who did what with it, oldest first. */
export async function listParkedActions (client: Client, id: string): Promise<ParkedAction[]> {
  return await run<ParkedAction>(client, 'list_parked_actions', `
    select action, done_by, done_at from parked_actions where hash = decode($1, 'hex') order by action_id`, [id])
}

/** Settles a parked event and writes down who did it. */
export async function settleParked (client: Client, id: string, settlement: Settlement, doneBy: string): Promise<void> {
  await run(client, 'settle_parked', `
    with settled as (
      update parked_events set settlement = $2, settled_at = now() where hash = decode($1, 'hex') returning hash
    ) insert into parked_actions (hash, action, done_by) select hash, $2, $3 from settled`, [id, settlement, doneBy])
}
