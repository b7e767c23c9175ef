import type { ConsumeMessage } from 'amqplib'
import type { FastifyBaseLogger } from 'fastify'
import { decodeMessage, type DecodedEvent } from '../broker/codec.js'
import { isSigned } from '../broker/signature.js'
import { ORDERS_QUEUE } from '../broker/topology.js'
import { logLine } from '../logs/log-line.js'
import { EnvelopeError } from '../orders/envelope.js'
import type { TakenEvent } from '../parking/park.js'
import type { Mac } from '../secrets/mac.js'
import type { StoredEvent } from '../store/fallback-queue.js'
import type { ParkedEvent } from '../store/parked-events.js'
import { idsOf } from './batch-lines.js'
import type { Booking } from './booking.js'
import type { Handler } from './consumer.js'
import { deliveriesOf, headersOf } from './headers.js'
import { beginningOf, oversizedReason } from './oversized.js'

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

/**
 * The orders queue: events are booked, what is none or not ours is parked, what this build cannot read yet steps aside into the
 * fallback queue, where it waits for a newer worker without holding anything up.
 */
export class OrderMessages implements Handler<OrderMessage> {
  readonly queue = ORDERS_QUEUE
  /** A message holds up to 256 events or 128 KiB, so this is at most 8 MiB. */
  readonly prefetch = 64
  /** Events. */
  readonly batchWeight = 1000
  readonly #booking: Booking
  readonly #mac: Mac | null
  readonly #log: FastifyBaseLogger

  /** @param mac null: no key is given, so nothing is verified */
  constructor (booking: Booking, mac: Mac | null, log: FastifyBaseLogger) {
    this.#booking = booking
    this.#mac = mac
    this.#log = log
  }

  read (message: ConsumeMessage): { content: OrderMessage, weight: number } {
    const events = this.#eventsIn(message)
    return { content: { events, deliveries: deliveriesOf(message), headers: headersOf(message) }, weight: events.length }
  }

  /** Nothing in a message is looked at before its signature. */
  #eventsIn ({ content, properties }: ConsumeMessage): DecodedEvent[] {
    const oversized = oversizedReason(content)
    if (oversized !== null) {
      const beginning = beginningOf(content)
      return [{ fault: new EnvelopeError('malformed', oversized), raw: () => beginning }]
    }
    if (this.#mac && !isSigned(this.#mac, content, properties.headers)) return [{ fault: new EnvelopeError('forged', 'forged'), raw: () => content }]
    return decodeMessage(content)
  }

  /** A batch with changes goes alone, because a base may stand in the batch before it. */
  mayOverlap (batch: readonly OrderMessage[]): boolean {
    return batch.every(({ events }) => events.every((one) => 'fault' in one || one.event.base === null))
  }

  async handle (batch: readonly OrderMessage[]): Promise<void> {
    const suspects = batch.filter(isSuspect)
    if (suspects.length > 0) {
      const taken = suspects.flatMap(eventsOf)
      logLine(this.#log, { event: 'messages_redelivered', batch_size: taken.length, attempt: Math.max(...suspects.map(({ deliveries }) => deliveries)), reason: 'delivered_often' })
      await this.#booking.unpack(taken)
      for (const { event } of taken) logLine(this.#log, { event: 'fallback_taken', ...idsOf(event), reason: 'delivered_often' })
    }
    await this.#booking.park(batch.flatMap(unreadable))
    await this.#defer(batch.flatMap(newer))
    await this.#booking.book(batch.filter((message) => !isSuspect(message)).flatMap(eventsOf), 'queue')
  }

  async #defer (newer: readonly StoredEvent[]): Promise<void> {
    if (newer.length === 0) return
    await this.#booking.defer(newer)
    logLine(this.#log, { event: 'newer_schema_deferred', batch_size: newer.length, reason: 'newer_schema' })
  }
}

function isSuspect ({ deliveries }: OrderMessage): boolean {
  return deliveries >= SUSPECT_DELIVERIES
}

function eventsOf ({ events }: OrderMessage): TakenEvent[] {
  return events.flatMap((one) => 'event' in one ? [one] : [])
}

function unreadable ({ events, deliveries, headers }: OrderMessage): ParkedEvent[] {
  return events.flatMap((one) => 'fault' in one && one.fault.code !== 'newer_schema'
    ? [{ source: 'queue', reason: one.fault.message, attempts: deliveries, headers, raw: one.raw(), cause: one.fault.cause }]
    : [])
}

function newer ({ events }: OrderMessage): StoredEvent[] {
  return events.flatMap((one) => 'fault' in one && one.fault.named
    ? [{ event: { event_id: one.fault.named.event_id, order: { order_id: one.fault.named.order_id } }, json: one.raw().toString() }]
    : [])
}
