import { serializeEvent } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { type Client, inTransaction, type Pool } from '../store/database.js'
import { recordEvents, type RefusalReason } from '../store/order-events.js'
import { park, type ParkedEvent } from '../store/parked-events.js'
import { bisect } from './refusal.js'

/** An order event as it was taken from its source. */
export interface TakenEvent {
  event: OrderEvent
  /** Its own bytes, as they came. */
  raw (): Buffer
}

/** Why an event is refused, and where it was taken from. */
export interface Refusal {
  reason: RefusalReason
  source: 'queue' | 'fallback'
  attempts: number
  /** The defect of ours that it met, for the log. */
  cause?: unknown
}

/** Records an event that can never be applied as rejected, for its reader, and parks it, for an operator. @throws StoreError; a defect as it is */
export async function refuseEvent (client: Client, { event }: TakenEvent, refusal: Refusal): Promise<ParkedEvent> {
  const parked = { ...refusal, headers: {}, raw: Buffer.from(serializeEvent(event).json), user_id: event.order.user_id, event }
  await park(client, [parked])
  await recordEvents(client, [{ event, outcome: 'rejected', reason: refusal.reason }])
  return parked
}

/** Where an event cannot even be recorded: its bytes and the reason are parked, and but for its user nothing else of it is looked at. @throws StoreError */
export async function refuseBytes (client: Client, { event, raw }: TakenEvent, refusal: Refusal): Promise<ParkedEvent> {
  const parked = { ...refusal, headers: {}, raw: raw(), user_id: event.order.user_id }
  await park(client, [parked])
  return parked
}

/**
 * Parks what is no order event at all as it came; where that cannot be stored its bytes alone, with nothing else that strangers
 * wrote.
 * @param onParked called with what is committed
 * @throws StoreError `unavailable`
 */
export async function parkAll (pool: Pool, parked: readonly ParkedEvent[], onParked: (parked: readonly ParkedEvent[]) => Promise<void>): Promise<void> {
  const commit = async (some: readonly ParkedEvent[]) => {
    await inTransaction(pool, async (client) => await park(client, some))
    await onParked(some)
  }
  await bisect(parked, commit, async ({ source, raw }) => await commit([{ source, reason: 'not_storable', attempts: 1, headers: {}, raw }]))
}
