import type { Outcome } from './chain.js'
import type { OrderEventType } from './event.js'
import type { OrderInput } from './order.js'
import type { OrderStatus } from './status.js'

/** One event of an order as its reader sees it: what happened, when, by which request, and what became of it. */
export interface TimelineEntry {
  event_id: string
  type: OrderEventType
  version: number
  base: string | null
  /** `accepted`: taken, not yet seen by the worker */
  outcome: Outcome | 'accepted'
  /** Why it was rejected; of an applied one `expired`, where it was cancelled because it stayed unpaid. */
  reason?: string
  /** ISO 8601, the api's clock */
  occurred_at: string
  /** ISO 8601, the clock of Postgres; null while only accepted */
  recorded_at: string | null
  request_id: string
  /** Who asked for it; null in events of the releases that did not name one. */
  actor: string | null
  /** The order after the change; what it would have been, for a rejected one. */
  order: OrderInput & { total_value: number, status: OrderStatus }
}

/** Where a page of the timeline ended. */
export interface TimelineEnd {
  version: number
  event_id: string
}

const CURSOR = /^([1-9]\d{0,9}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Opaque to clients. */
export function encodeTimelineCursor ({ version, event_id }: TimelineEnd): string {
  return Buffer.from(`${version} ${event_id}`).toString('base64url')
}

/** @returns null for what encodeTimelineCursor never made */
export function decodeTimelineCursor (cursor: string): TimelineEnd | null {
  const [, version, event_id] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (version === undefined || event_id === undefined || Number(version) > 2147483647) return null
  const end = { version: Number(version), event_id }
  return encodeTimelineCursor(end) === cursor ? end : null
}
