import { isUtf8 } from 'node:buffer'
import { decodeMessage } from '../broker/codec.js'
import type { ParkedEvent, WholeParkedEvent } from '../jobs/parked.js'
import type { ListedRow, ParkedAction, ParkedRow } from '../store/parked-events.js'

/** A parked event as operators see it, in a list: of a large one not all bytes may be there, and then none of its events is read. */
export function shownParked ({ id, source, reason, attempts, raw, bytes, user_id, parked_at, settlement, settled_at }: ListedRow): ParkedEvent {
  const { events, order_id } = readable(raw)
  return { parked_id: id, source, reason, attempts, events, order_id, user_id, bytes, parked_at, settlement, settled_at }
}

/** The same by itself, with all that is known of it. */
export function wholeParked (row: ParkedRow, actions: ParkedAction[]): WholeParkedEvent {
  const encoding = isUtf8(row.raw) ? 'utf8' : 'base64'
  return { ...shownParked({ ...row, bytes: row.raw.length }), headers: row.headers, raw: row.raw.toString(encoding), encoding, fault: readable(row.raw).fault, actions }
}

function readable (raw: Buffer): { events: number, order_id: string | null, fault: string | null } {
  const decoded = decodeMessage(raw)
  const events = decoded.flatMap((one) => 'event' in one ? [one.event] : [])
  const fault = decoded.find((one) => 'fault' in one)
  return { events: events.length, order_id: events[0]?.order.order_id ?? null, fault: fault?.fault.message ?? null }
}
