import { fromEnvelope, serializeEvent } from '../orders/envelope.js'
import { type Order, orderJson } from '../orders/order.js'
import { type AcceptedView, type OrderView, rank } from '../orders/view.js'
import type { Mac } from '../secrets/mac.js'
import type { ViewToPut } from './view-to-put.js'

/*
 * A value is `<rank, 12 digits> <event_id> <signature, or -> <written, ms since 1970> <JSON: the order, or the envelopes of the
 * events taken while it is not persisted>`: a guard reads its first bytes and never parses JSON. A `!` in place of the second
 * space: the event was booked since, so the row is to be asked. Where no view stood, only `<rank> <event_id>!` stands.
 */

/** A persisted view is a copy of a row: short-lived, so that whatever went wrong heals by itself. */
export const PERSISTED_MS = 60_000
/** How far the clocks of two processes may lie apart: a persisted view that claims to be older than its life and this was put back. */
const CLOCKS_APART_MS = 60_000
const RANK_DIGITS = 12
const HEAD_LENGTH = 49
const VALUE = /^(\d{12} ([0-9a-f-]{36}))[ !](\S+) ((\d+) (.*))$/s
const MARK_ALONE = /^\d{12} [0-9a-f-]{36}!$/

/** Its first 49 characters: what a guard compares. */
export function headOf (view: OrderView): string {
  return `${String(rank(view)).padStart(RANK_DIGITS, '0')} ${view.event_id}`
}

export function encode ({ view, serialized }: ViewToPut, mac: Mac | null): string {
  const head = headOf(view)
  const body = `${Date.now()} ${view.persisted ? orderJson(view.order) : jsonOf(view, serialized)}`
  return `${head} ${mac?.sign(`${head} ${body}`) ?? '-'} ${body}`
}

function jsonOf ({ taken }: AcceptedView, last = serializeEvent(taken.at(-1)!)): string {
  if (taken.length === 1) return `[${last.json}]`
  return `[${[...taken.slice(0, -1).map((event) => serializeEvent(event).json), last.json].join(',')}]`
}

/** null for what is none, is not signed by us, or is a persisted view that outlived its life. */
export function decode (value: string, mac: Mac | null): OrderView | null {
  const [, head, event_id, signature, body, written, json] = VALUE.exec(value) ?? []
  if (head === undefined || (mac && !mac.verifies(`${head} ${body}`, signature!))) return null
  const known = JSON.parse(json!) as Order | unknown[]
  if (!Array.isArray(known)) {
    const isLate = Date.now() - Number(written) > PERSISTED_MS + CLOCKS_APART_MS
    return isLate ? null : { order: known, event_id: event_id!, persisted: true }
  }
  const taken = known.map(fromEnvelope)
  const last = taken.at(-1)
  return last ? { order: last.order, event_id: event_id!, persisted: false, taken } : null
}

export function isMarked (value: string): boolean {
  return value[HEAD_LENGTH] === '!'
}

export function isMarkAlone (value: string): boolean {
  return MARK_ALONE.test(value)
}
