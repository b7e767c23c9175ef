import { isTransient, StoreError } from '../store/failures.js'
import type { RefusalReason } from '../store/order-events.js'

/** What becomes of a message once its batch is through; the consumer alone acts on it. */
export type Verdict =
  | 'ack' // all of it is booked, rejected or parked, and committed
  | 'hold' // part of it is of a newer schema: it stays unacked until a newer worker takes it

/** A row that ended the worker, or was left by one that ended, too often. */
export class AttemptsExhausted extends Error {
  override readonly name = 'AttemptsExhausted'
}

/** Why an event that is sound on the wire cannot be applied; stable codes, shown in the timeline. */
export function refusalReason (error: unknown): RefusalReason {
  if (error instanceof AttemptsExhausted) return 'attempts_exhausted'
  if (!(error instanceof StoreError)) return 'defect'
  return error.constraint === 'orders_user_id_fkey' ? 'unknown_user' : 'not_storable'
}

/** Milliseconds to wait before the next attempt: doubling from 100 to 5000, the upper half of it by chance. */
export function backOff (attempt: number, chance: number = Math.random()): number {
  return Math.min(100 * 2 ** attempt, 5000) * (0.5 + chance / 2)
}

/**
 * Does the work for the whole batch or, where something in it is at fault, for each half by itself, until the one at fault
 * stands alone: its mates never suffer for it.
 * @param refuse ends the one for which the work can never succeed
 * @throws a transient error, as it came: part of the work may be done, the rest is not
 */
export async function bisect<T> (batch: readonly T[], work: (some: readonly T[]) => Promise<void>, refuse: (one: T, error: unknown) => Promise<void>): Promise<void> {
  if (batch.length === 0) return
  try {
    await work(batch)
  } catch (error) {
    if (isTransient(error)) throw error
    const [only] = batch
    if (batch.length === 1) return await refuse(only!, error)
    const middle = Math.ceil(batch.length / 2)
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) await bisect(half, work, refuse)
  }
}
