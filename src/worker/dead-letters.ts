import type { ConsumeMessage } from 'amqplib'
import { DEAD_QUEUE } from '../broker/topology.js'
import type { ParkedEvent } from '../store/parked-events.js'
import type { Booking } from './booking.js'
import type { Handler } from './consumer.js'
import { deathOf, headersOf } from './headers.js'
import { beginningOf, oversizedReason } from './oversized.js'

/** The broker's dead letters: kept in the parking lot as they came, never decoded, because reading them may be what is fatal. */
export class DeadLetters implements Handler<ParkedEvent> {
  readonly queue = DEAD_QUEUE
  readonly prefetch = 8
  /** Messages. */
  readonly batchWeight = 8
  readonly #booking: Booking

  constructor (booking: Booking) {
    this.#booking = booking
  }

  read (message: ConsumeMessage): { content: ParkedEvent, weight: number } {
    const { content } = message
    const { reason, count } = deathOf(message)
    const oversized = oversizedReason(content)
    const parked = { source: 'dead', reason: oversized ?? `dead-lettered: ${reason}`, attempts: count, headers: headersOf(message), raw: oversized === null ? content : beginningOf(content) } as const
    return { content: parked, weight: 1 }
  }

  mayOverlap (): boolean {
    return false
  }

  async handle (batch: readonly ParkedEvent[]): Promise<void> {
    await this.#booking.park(batch)
  }
}
