import { type Base, moveOrder, type OrderEvent } from './event.js'
import { expiryEventId } from './identity.js'

/** The actor of the rule that cancels what stays unpaid for too long (STALE_AFTER). */
export const STALE_ORDERS = 'rule:stale-orders'

/**
 * Cancels an order because it was not paid in time. Of one state of an order there is one such event, whichever process makes it and
 * however often: it is booked once, or it loses to the payment that was built on the same state.
 * @param run the sweep that found it, in place of a request @param now ISO 8601, the clock of Postgres
 */
export function expireOrder (base: Base, { now, run }: { now: string, run: string }): OrderEvent {
  return moveOrder(base, 'cancelled', { event_id: expiryEventId(base.event_id), now, request_id: run, actor: STALE_ORDERS })
}

/** Why an applied event came about, where its type and actor alone do not say it; shown in the timeline and told to others. */
export function causeOf ({ actor }: OrderEvent): 'expired' | null {
  return actor === STALE_ORDERS ? 'expired' : null
}
