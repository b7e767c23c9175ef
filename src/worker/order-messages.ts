import type { ConsumeMessage } from 'amqplib'
import type { FastifyBaseLogger } from 'fastify'
import { decodeMessage, type DecodedEvent } from '../broker/codec.js'
import { ORDERS_QUEUE } from '../broker/topology.js'
import { logLine } from '../logs/log-line.js'
import type { TakenEvent } from '../parking/park.js'
import type { ParkedEvent } from '../store/parked-events.js'
import { idsOf } from './batch-lines.js'
import type { Booking } from './booking.js'
import type { Handler } from './consumer.js'
import { deliveriesOf, headersOf } from './headers.js'
import type { Verdict } from './verdicts.js'

/**
 * Delivered so often, a message may be what ended the workers before: it is unpacked into the fallback queue, where each event is
 * tried alone and its attempts are counted. (The broker counts too, but charges every message of a lost channel.)
 */
const SUSPECT_DELIVERIES = 3

export interface OrderMessage {
  events: DecodedEvent[]
  /** This one included. */
  deliveries: number
  headers: Record<string, unknown>
}

/** The orders queue: events are booked, what is none is parked, what this build cannot read yet is held. */
export class OrderMessages implements Handler<OrderMessage> {
  readonly queue = ORDERS_QUEUE
  /** A message holds up to 256 events or 128 KiB, so this is at most 8 MiB. */
  readonly prefetch = 64
  /** Events. */
  readonly batchWeight = 1000
  readonly #booking: Booking
  readonly #log: FastifyBaseLogger

  constructor (booking: Booking, log: FastifyBaseLogger) {
    this.#booking = booking
    this.#log = log
  }

  read (message: ConsumeMessage): { content: OrderMessage, weight: number } {
    const events = decodeMessage(message.content)
    return { content: { events, deliveries: deliveriesOf(message), headers: headersOf(message) }, weight: events.length }
  }

  /** A batch with changes goes alone, because a base may stand in the batch before it. */
  mayOverlap (batch: readonly OrderMessage[]): boolean {
    return batch.every(({ events }) => events.every((one) => 'fault' in one || one.event.base === null))
  }

  async handle (batch: readonly OrderMessage[]): Promise<Verdict[]> {
    const suspects = batch.filter(isSuspect)
    if (suspects.length > 0) {
      const taken = suspects.flatMap(eventsOf)
      logLine(this.#log, { event: 'messages_redelivered', batch_size: taken.length, attempt: Math.max(...suspects.map(({ deliveries }) => deliveries)), reason: 'delivered_often' })
      await this.#booking.unpack(taken)
      for (const { event } of taken) logLine(this.#log, { event: 'fallback_taken', ...idsOf(event), reason: 'delivered_often' })
    }
    await this.#booking.park(batch.flatMap(unreadable))
    await this.#booking.book(batch.filter((message) => !isSuspect(message)).flatMap(eventsOf), 'queue')
    const verdicts = batch.map(verdictOf)
    const held = verdicts.filter((verdict) => verdict === 'hold').length
    if (held > 0) logLine(this.#log, { event: 'newer_schema_held', batch_size: held, reason: 'newer_schema' })
    return verdicts
  }
}

function isSuspect ({ deliveries }: OrderMessage): boolean {
  return deliveries >= SUSPECT_DELIVERIES
}

function eventsOf ({ events }: OrderMessage): TakenEvent[] {
  return events.flatMap((one) => 'event' in one ? [one] : [])
}

function unreadable ({ events, deliveries, headers }: OrderMessage): ParkedEvent[] {
  return events.flatMap((one) => 'fault' in one && one.fault.code === 'malformed'
    ? [{ source: 'queue', reason: one.fault.message, attempts: deliveries, headers, raw: one.raw(), cause: one.fault.cause }]
    : [])
}

function verdictOf ({ events }: OrderMessage): Verdict {
  return events.some((one) => 'fault' in one && one.fault.code === 'newer_schema') ? 'hold' : 'ack'
}
