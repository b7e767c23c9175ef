import type { CloudEvent } from '../src/feed/cloud-event.js'
import { type FeedEvent, happeningOf } from '../src/orders/feed-event.js'
import { quantile } from './availability.js'
import type { EventRow, Tables } from './tables.js'

/** The ways on which others are told what happened. */
export const WAYS = ['exchange', 'stream', 'webhook'] as const
export type Way = typeof WAYS[number]

/** One event as a listener was told it, once more each time that it was told again. */
export interface Told {
  id: string
  type: string
  order_id: string
  version: number
  position: number
  /** Milliseconds since 1970. */
  at: number
  /** The broker says that it had given it out before: it may come behind later ones. */
  redelivered?: true
}

export type Heard = Omit<Told, 'at'>

/** @param json a CloudEvent */
export function heard (json: string): Heard {
  const { id, type, subject, orderversion, sequence } = JSON.parse(json) as CloudEvent
  return { id, type, order_id: subject, version: orderversion, position: Number(sequence) }
}

/** What each listener was told, in the order of its arrival; a way that is left out was not listened on. */
export type Telling = Partial<Record<Way, readonly Told[]>>

/** What was told, held against the tables: everything settled, nothing else, on first sight in the order of the commits; by webhooks in that of each order's versions. */
export function checkTelling ({ events }: Tables, telling: Telling): Record<'untold' | 'invented' | 'misplaced' | 'retold', string[]> {
  const settled = new Map(events.filter(({ outcome }) => outcome !== 'waiting').map((event) => [idOf(event), event]))
  const evidence = (find: (told: readonly Told[]) => string[], ways: readonly Way[] = WAYS) =>
    ways.flatMap((way) => find(telling[way] ?? []).map((what) => `${way}: ${what}`))
  return {
    untold: evidence((told) => untold(settled, told), WAYS.filter((way) => telling[way])),
    invented: evidence((told) => told.filter((one) => !isTrue(settled.get(one.id), one)).map(describe)),
    misplaced: [...evidence((told) => misplaced(bySight(told.filter(({ redelivered }) => !redelivered)).first), ['exchange', 'stream']), ...evidence((told) => outOfVersions(bySight(told).first), ['webhook'])],
    // The broker may deliver again; a stream goes on exactly behind what its reader has.
    retold: evidence((told) => bySight(told).again.map(describe), ['stream'])
  }
}

/** Of one event that was refused and then booked after all, the two verdicts are two events. */
function idOf ({ event_id, reopened }: EventRow): string {
  return reopened === 0 ? event_id : `${event_id}.${reopened + 1}`
}

function untold (settled: ReadonlyMap<string, EventRow>, told: readonly Told[]): string[] {
  const heard = new Set(told.map(({ id }) => id))
  return [...settled].filter(([id]) => !heard.has(id)).map(([id, { type, order_id, outcome, position }]) => `${type} ${id} of order ${order_id}, ${outcome}, at ${position}`)
}

function isTrue (row: EventRow | undefined, told: Told): boolean {
  if (!row) return false
  const type = `comanda.order.${happeningOf(row as unknown as FeedEvent)}`
  return told.type === type && told.order_id === row.order_id && told.version === row.version && told.position === row.position
}

function bySight (told: readonly Told[]): { first: Told[], again: Told[] } {
  const seen = new Set<string>()
  const sights: { first: Told[], again: Told[] } = { first: [], again: [] }
  for (const one of told) {
    sights[seen.has(one.id) ? 'again' : 'first'].push(one)
    seen.add(one.id)
  }
  return sights
}

function misplaced (told: readonly Told[]): string[] {
  const evidence: string[] = []
  let last = 0
  for (const one of told) {
    if (one.position <= last) evidence.push(`${describe(one)} came behind ${last}`)
    last = Math.max(last, one.position)
  }
  return [...evidence, ...outOfVersions(told)]
}

/** A lost change has the version that it asked for, whatever came first. */
function outOfVersions (told: readonly Told[]): string[] {
  const evidence: string[] = []
  const versions = new Map<string, number>()
  for (const one of told) {
    if (one.type.endsWith('.change_rejected')) continue
    const before = versions.get(one.order_id) ?? 0
    if (one.version <= before) evidence.push(`${describe(one)} came behind version ${before}`)
    versions.set(one.order_id, Math.max(one.version, before))
  }
  return evidence
}

function describe ({ type, id, order_id, version, position }: Told): string {
  return `${type} ${id} of order ${order_id}, version ${version}, at ${position}`
}

export interface TellingFigures {
  events: number
  /** Told once more. */
  again: number
  /** From commit to first sight, milliseconds; null where nothing was told. */
  wait_ms: { p50: number, p99: number, max: number } | null
  /** The same of what was committed while no fault was on and none had been healed lately. */
  quiet_ms: { p50: number, p99: number, max: number } | null
}

/** @param isQuiet whether nothing disturbed what was committed then */
export function tellingFigures ({ events }: Tables, telling: Telling, isQuiet: (committed: number) => boolean): Partial<Record<Way, TellingFigures>> {
  const committed = new Map(events.map((event) => [idOf(event), event.committed]))
  return Object.fromEntries(Object.entries(telling).map(([way, told]) => {
    const { first, again } = bySight(told)
    const waits = first.flatMap(({ id, at }) => committed.has(id) ? [{ from: committed.get(id)!, ms: at - committed.get(id)! }] : [])
    const quiet = waits.filter(({ from }) => isQuiet(from))
    return [way, { events: first.length, again: again.length, wait_ms: spread(waits.map(({ ms }) => ms)), quiet_ms: spread(quiet.map(({ ms }) => ms)) }]
  }))
}

function spread (values: readonly number[]): TellingFigures['wait_ms'] {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => Math.round(quantile(sorted, share) * 10) / 10)
  return { p50: p50!, p99: p99!, max: max! }
}
