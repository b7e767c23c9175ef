import { StoreError } from '../store/failures.js'
import type { RefusalReason } from '../store/order-events.js'

/** What becomes of a message once its batch is through; the consumer alone acts on it. */
export type Verdict =
  | 'ack' // all of it is booked, rejected or parked, and committed
  | 'hold' // part of it is of a newer schema: it stays unacked until a newer worker takes it

/** Whether the same batch may succeed later; all else is a fault of an event in it. */
export function isPassing (error: unknown): boolean {
  return !(error instanceof StoreError) || error.code === 'unavailable'
}

/** Why an event that is sound on the wire cannot be stored; stable codes, shown in the timeline. */
export function refusalReason (error: unknown): RefusalReason {
  if (error instanceof StoreError && error.constraint === 'orders_user_id_fkey') return 'unknown_user'
  return 'not_storable'
}

/** Milliseconds to wait before the next attempt: doubling from 100 to 5000, the upper half of it by chance. */
export function backOff (attempt: number, chance: number = Math.random()): number {
  return Math.min(100 * 2 ** attempt, 5000) * (0.5 + chance / 2)
}

/** Halves for finding the one bad event of a batch. */
export function split<T> (batch: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(batch.length / 2)
  return [batch.slice(0, middle), batch.slice(middle)]
}
