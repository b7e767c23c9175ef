import type { ConsumeMessage } from 'amqplib'
import { DEAD_QUEUE } from '../broker/topology.js'
import type { ParkedEvent } from '../store/parked-events.js'
import type { Booking } from './booking.js'
import type { Handler } from './consumer.js'
import { headersOf } from './headers.js'

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
    const headers = headersOf(message)
    const [death] = (headers['x-death'] ?? []) as Array<{ reason?: string, count?: number }>
    return { content: { source: 'dead', reason: `dead-lettered: ${death?.reason ?? 'for no reason given'}`, attempts: death?.count ?? 1, headers, raw: message.content }, weight: 1 }
  }

  mayOverlap (): boolean {
    return false
  }

  async handle (batch: readonly ParkedEvent[]): Promise<void> {
    await this.#booking.park(batch)
  }
}
