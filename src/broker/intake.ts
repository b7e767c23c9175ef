import type { SealedEvent } from '../orders/envelope.js'
import { OrderError } from '../orders/errors.js'
import type { OrderEventType } from '../orders/event.js'
import { Group, GroupError } from './group.js'
import type { Publisher } from './publisher.js'

/** Writes the events to the outbox in one committed statement, or throws an error with `outcome`. */
export type WriteOutbox = (events: SealedEvent[]) => Promise<void>

export type Road = 'broker' | 'outbox'

/**
 * Takes an order event: from here on it is not lost. By the broker when it confirms in time, else by the outbox; by neither
 * it is not taken and the caller is told which of the two errors it is. A late confirm beside an outbox row is a
 * harmless double, because the event id is the same.
 */
export class Intake {
  /** How many events were taken since the start, and how many were not. */
  readonly taken: Record<Road, Record<OrderEventType, number>> = { broker: noneTaken(), outbox: noneTaken() }
  readonly failed = { not_accepted: 0, outcome_unknown: 0 }
  readonly #publisher: Publisher
  readonly #outbox: Group<SealedEvent>
  readonly #onOutbox: (sealed: SealedEvent, why: Error) => void

  /** @param onOutbox told of every event that went the outbox road, and why */
  constructor (publisher: Publisher, write: WriteOutbox, timeLimitMs: number, onOutbox: (sealed: SealedEvent, why: Error) => void) {
    this.#publisher = publisher
    this.#onOutbox = onOutbox
    this.#outbox = new Group({
      send: write,
      sizeOf: ({ json }) => json.length,
      maxItems: 1000,
      maxBytes: 1024 * 1024,
      maxInFlight: 2,
      maxHeld: 16_384,
      timeLimitMs
    })
  }

  /** @throws OrderError `not_accepted` (nothing was written) or `outcome_unknown` */
  async take (sealed: SealedEvent): Promise<Road> {
    return await this.#settle(sealed, this.#publisher.publish([sealed])[0]!)
  }

  /** In as few messages as their limit allows; one promise an event, as `take`. */
  takeAll (events: readonly SealedEvent[]): Array<Promise<Road>> {
    return this.#publisher.publish(events).map((publishing, index) => this.#settle(events[index]!, publishing))
  }

  #settle (sealed: SealedEvent, publishing: Promise<void>): Promise<Road> {
    return publishing.then(() => this.#took(sealed, 'broker'), async (error: unknown) => await this.#byOutbox(sealed, asGroupError(error)))
  }

  async #byOutbox (sealed: SealedEvent, failure: GroupError): Promise<Road> {
    await this.#outbox.add(sealed).catch((cause: unknown) => {
      const unknown = failure.outcome === 'unknown' || asGroupError(cause).outcome === 'unknown'
      const code = unknown ? 'outcome_unknown' : 'not_accepted'
      this.failed[code]++
      throw new OrderError(code, { cause, about: { order_id: sealed.event.order.order_id, event_id: sealed.event.event_id } })
    })
    this.#onOutbox(sealed, failure)
    return this.#took(sealed, 'outbox')
  }

  #took ({ event }: SealedEvent, road: Road): Road {
    this.taken[road][event.type]++
    return road
  }

  /** Resolves when nothing taken is still on its way. */
  async settled (): Promise<void> {
    await this.#publisher.settled()
    await this.#outbox.settled()
  }
}

function noneTaken (): Record<OrderEventType, number> {
  return { 'order.placed': 0, 'order.amended': 0, 'order.cancelled': 0, 'order.status_changed': 0 }
}

function asGroupError (error: unknown): GroupError {
  if (error instanceof GroupError) return error
  throw error
}
