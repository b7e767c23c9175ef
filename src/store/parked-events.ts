import { createHash } from 'node:crypto'
import type { ParkedSelection } from '../jobs/job.js'
import type { ParkedGroup } from '../jobs/parked.js'
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
  /** Rises in the order in which they were parked first. */
  parked_number: number
  user_id: number | null
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

const COLUMNS = "encode(hash, 'hex') as id, parked_number, source, reason, attempts, headers, raw, user_id, parked_at, settlement, settled_at"

/** Of a selection, from $1 on; an id that is no hash of ours selects nothing. Text is looked for in the bytes, whatever they are. */
const SELECTED = `
  ($1::bytea[] is null or hash = any($1)) and ($2::text is null or reason = $2) and ($3::text is null or source = $3)
  and ($4::text is null or position(convert_to($4, 'UTF8') in raw) > 0) and ($5::text is null or position(convert_to($5, 'UTF8') in raw) > 0)
  and ($6::timestamptz is null or parked_at >= $6) and ($7::timestamptz is null or parked_at < $7)`

function selectedBy ({ ids, reason, source, order_id, text, parked_from, parked_before }: ParkedSelection): unknown[] {
  return [ids?.map((id) => Buffer.from(id, 'hex')) ?? null, reason ?? null, source ?? null, order_id ?? null, text ?? null, parked_from ?? null, parked_before ?? null]
}

export interface ParkedFilter extends ParkedSelection {
  /** Those that an operator dealt with, those that none did, or (undefined) both. */
  settled?: boolean | undefined
  /** Only those parked before the one with this number. */
  before?: number | undefined
  limit: number
}

/** A row of a list: of large ones not all bytes. */
export interface ListedRow extends ParkedRow {
  /** How many there are. */
  bytes: number
}

/** Larger ones are cut off in a list for many: a hundred rows must not weigh a hundred megabytes. */
const LARGEST_LISTED = 65_536

/** Newest first, each with 64 KiB of its bytes at most. */
export async function listParkedBriefly (client: Client, filter: ParkedFilter): Promise<ListedRow[]> {
  return await list<ListedRow>(client, 'list_parked_briefly', COLUMNS.replace(' raw,', ` substring(raw for ${LARGEST_LISTED}) as raw, octet_length(raw) as bytes,`), filter)
}

/** Newest first. */
export async function listParked (client: Client, filter: ParkedFilter): Promise<ParkedRow[]> {
  return await list<ParkedRow>(client, 'list_parked', COLUMNS, filter)
}

async function list<Row extends ParkedRow> (client: Client, name: string, columns: string, { settled, before, limit, ...selection }: ParkedFilter): Promise<Row[]> {
  return await run<Row>(client, name, `
    select ${columns} from parked_events
    where ${SELECTED} and ($8::boolean is null or (settlement is not null) = $8) and ($9::bigint is null or parked_number < $9)
    order by parked_number desc limit $10`, [...selectedBy(selection), settled ?? null, before ?? null, limit])
}

/** The one of this whole id. */
export async function readParked (client: Client, id: string): Promise<ParkedRow | null> {
  const [row] = await run<ParkedRow>(client, 'read_parked', `select ${COLUMNS} from parked_events where hash = decode($1, 'hex')`, [id])
  return row ?? null
}

/** Open ones: how many, and the number of the last. */
export async function countSelected (client: Client, selection: ParkedSelection): Promise<{ total: number, last: number }> {
  const [row] = await run<{ total: number, last: number }>(client, 'count_selected', `
    select count(*)::integer as total, coalesce(max(parked_number), 0) as last from parked_events where ${SELECTED} and settlement is null`, selectedBy(selection))
  return row!
}

/** Open ones behind one number and up to another, oldest first, locked. */
export async function takeSelected (client: Client, selection: ParkedSelection, { behind, last, limit }: { behind: number, last: number, limit: number }): Promise<ParkedRow[]> {
  return await run<ParkedRow>(client, 'take_selected', `
    select ${COLUMNS} from parked_events where ${SELECTED} and settlement is null and parked_number > $8 and parked_number <= $9
    order by parked_number limit $10 for update`, [...selectedBy(selection), behind, last, limit])
}

const MOST_GROUPS = 100

/** The open ones by reason and source, the largest group first; no more than 100. */
export async function groupParked (client: Client): Promise<ParkedGroup[]> {
  return await run<ParkedGroup>(client, 'group_parked', `
    select reason, source, count(*)::integer as open, min(parked_at) as oldest, max(parked_at) as latest
    from parked_events where settlement is null group by reason, source order by open desc, reason, source limit ${MOST_GROUPS}`, [])
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

/** `done_by`: as `actor` of an action; of releases before a bare name, or `erasure`. */
export interface ParkedAction { action: Settlement, done_by: string, done_at: string }

/** Who did what with it, oldest first. */
export async function listParkedActions (client: Client, id: string): Promise<ParkedAction[]> {
  return await run<ParkedAction>(client, 'list_parked_actions', `
    select action, done_by, done_at from parked_actions where hash = decode($1, 'hex') order by action_id`, [id])
}

/** Settles a parked event and writes down who did it. @param doneBy as `actor` of an action */
export async function settleParked (client: Client, id: string, settlement: Settlement, doneBy: string): Promise<void> {
  await run(client, 'settle_parked', `
    with settled as (
      update parked_events set settlement = $2, settled_at = now() where hash = decode($1, 'hex') returning hash
    ) insert into parked_actions (hash, action, done_by) select hash, $2, $3 from settled`, [id, settlement, doneBy])
}
