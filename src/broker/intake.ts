import type { SerializedEvent } from '../orders/envelope.js'
import { OrderError } from '../orders/errors.js'
import type { OrderEventType } from '../orders/event.js'
import { Group, GroupError } from './group.js'
import type { Publisher } from './publisher.js'

/** Writes the events to the fallback queue in one committed statement, or throws an error with `outcome`. */
export type WriteFallback = (events: SerializedEvent[]) => Promise<void>

export type IntakePath = 'broker' | 'fallback'

/**
 * Takes an order event: from here on it is not lost. By the broker when it confirms in time, else by the fallback queue; by neither
 * it is not taken and the caller is told which of the two errors it is. A late confirm beside a fallback row is a
 * harmless double, because the event id is the same.
 */
export class Intake {
  /** How many events were taken since the start, and how many were not. */
  readonly taken: Record<IntakePath, Record<OrderEventType, number>> = { broker: noneTaken(), fallback: noneTaken() }
  readonly failed = { not_accepted: 0, outcome_unknown: 0 }
  readonly #publisher: Publisher
  readonly #fallback: Group<SerializedEvent>
  readonly #onFallback: (serialized: SerializedEvent, why: Error) => void

  /** @param onFallback told of every event that went the fallback queue path, and why */
  constructor (publisher: Publisher, write: WriteFallback, timeLimitMs: number, onFallback: (serialized: SerializedEvent, why: Error) => void) {
    this.#publisher = publisher
    this.#onFallback = onFallback
    this.#fallback = new Group({
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
  async take (serialized: SerializedEvent): Promise<IntakePath> {
    return await this.#settle(serialized, this.#publisher.publish([serialized])[0]!)
  }

  /** In as few messages as their limit allows; one promise an event, as `take`. */
  takeAll (events: readonly SerializedEvent[]): Array<Promise<IntakePath>> {
    return this.#publisher.publish(events).map((publishing, index) => this.#settle(events[index]!, publishing))
  }

  #settle (serialized: SerializedEvent, publishing: Promise<void>): Promise<IntakePath> {
    return publishing.then(() => this.#took(serialized, 'broker'), async (error: unknown) => await this.#byFallback(serialized, asGroupError(error)))
  }

  async #byFallback (serialized: SerializedEvent, failure: GroupError): Promise<IntakePath> {
    await this.#fallback.add(serialized).catch((cause: unknown) => {
      const unknown = failure.outcome === 'unknown' || asGroupError(cause).outcome === 'unknown'
      const code = unknown ? 'outcome_unknown' : 'not_accepted'
      this.failed[code]++
      throw new OrderError(code, { cause, about: { order_id: serialized.event.order.order_id, event_id: serialized.event.event_id } })
    })
    this.#onFallback(serialized, failure)
    return this.#took(serialized, 'fallback')
  }

  #took ({ event }: SerializedEvent, path: IntakePath): IntakePath {
    this.taken[path][event.type]++
    return path
  }

  /** Resolves when nothing taken is still on its way. */
  async settled (): Promise<void> {
    await this.#publisher.settled()
    await this.#fallback.settled()
  }
}

function noneTaken (): Record<OrderEventType, number> {
  return { 'order.placed': 0, 'order.amended': 0, 'order.cancelled': 0, 'order.status_changed': 0 }
}

function asGroupError (error: unknown): GroupError {
  if (error instanceof GroupError) return error
  throw error
}
