import { createHash } from 'node:crypto'
import type { OrderInput } from './order.js'

/** One use of an Idempotency-Key: the order it names, and the fingerprint of its body. */
export interface KeyUse {
  order_id: string
  /** Derived from the body: another body under the same key has another. */
  event_id: string
  /** When it was made, ISO 8601 */
  now: string
}

/** What stands under a key. `accepted` false: its request is under way, or ended without an answer. */
export interface KeyRecord extends Omit<KeyUse, 'order_id'> {
  accepted: boolean
}

/**
 * The order's id for a request with an Idempotency-Key: the same caller, route and key name the same order in any
 * process, with any cache state, for ever.
 * @returns a UUID of version 8 (RFC 9562, section 5.8) over SHA-256
 */
export function keyedOrderId (route: string, user_id: number, key: string): string {
  return uuidv8(['comanda.order', route, String(user_id), key])
}

/**
 * The placement's event id for a keyed request: the same body falls together on it, another body is a rival placement.
 * The body is taken in canonical form, so the order of its members and its white space do not matter.
 */
export function keyedEventId (order_id: string, input: OrderInput): string {
  return uuidv8(['comanda.placement', order_id, input.item_description, String(input.item_quantity), String(input.item_price)])
}

/** Of the event that cancels an order because it stayed unpaid in the state that `base` left behind. */
export function expiryEventId (base: string): string {
  return uuidv8(['comanda.expiry', base])
}

/** Each part goes in behind its length in bytes: no two lists of parts are ever the same bytes. */
function uuidv8 (parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`)
  const bytes = hash.digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
