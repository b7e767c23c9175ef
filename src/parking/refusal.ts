import { isTransient, StoreError } from '../store/failures.js'
import type { RefusalReason } from '../store/order-events.js'

/** Of a row that every worker which tried it left unfinished. */
export class AttemptsExhausted extends Error {
  override readonly name = 'AttemptsExhausted'
}

/** Why an event that is sound on the wire cannot be applied; stable codes, shown in the timeline. */
export function refusalReason (error: unknown): RefusalReason {
  if (error instanceof AttemptsExhausted) return 'attempts_exhausted'
  if (!(error instanceof StoreError)) return 'defect'
  return error.constraint === 'orders_user_id_fkey' ? 'unknown_user' : 'not_storable'
}

/**
 * Does the work for the whole batch or, where something in it is at fault, for each half by itself, until the one at fault
 * stands alone: the rest of the batch never suffers for it.
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
