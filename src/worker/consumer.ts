import { setTimeout as wait } from 'node:timers/promises'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { FastifyBaseLogger } from 'fastify'
import { decodeMessage, type DecodedEvent } from '../broker/codec.js'
import { within } from '../broker/limits.js'
import { ORDERS_QUEUE } from '../broker/topology.js'
import type { OrderEvent } from '../orders/event.js'
import type { ParkedEvent } from '../store/parked-events.js'
import type { Booking } from './booking.js'
import { backOff, isPassing, type Verdict } from './verdicts.js'

/** Messages held at a time. A message holds up to 256 events or 128 KiB, so this is at most 8 MiB. */
const PREFETCH = 64
/** A batch takes whole messages until it holds this many events. */
const BATCH_EVENTS = 1000
const STOP_LIMIT_MS = 1000

interface Delivery {
  channel: Channel
  message: ConsumeMessage
  events: DecodedEvent[]
}

/**
 * Consumes the orders queue in batches: while one is written the next gathers. This is the ONLY place that acks, and it
 * does so after the batch's commit. A batch that cannot be written for a passing reason is held and tried again; its
 * messages stay where they are in the queue's order.
 */
export class Consumer {
  readonly #booking: Booking
  readonly #log: FastifyBaseLogger
  readonly #stopping = new AbortController()
  #gathered: Delivery[] = []
  #wake: () => void = () => {}
  #channel: Channel | null = null
  #tag = ''
  /** Messages of the present channel that stay unacked: an ack of several at once would take them along. */
  #held = 0
  #underWay = 0
  #running: Promise<void> = Promise.resolve()

  constructor (booking: Booking, log: FastifyBaseLogger) {
    this.#booking = booking
    this.#log = log
  }

  start (): void {
    this.#running = this.#run()
  }

  /** Begins to consume on a new session's connection. */
  async attach (connection: ChannelModel): Promise<Channel> {
    const channel = await connection.createChannel()
    channel.on('error', () => {}) // `close` follows
    channel.on('close', () => this.#lose(channel))
    this.#channel = channel
    this.#held = 0
    await channel.prefetch(PREFETCH)
    const { consumerTag } = await channel.consume(ORDERS_QUEUE, (message) => this.#take(channel, message))
    this.#tag = consumerTag
    return channel
  }

  /** Stops taking, finishes the batch under way, drops what only gathered: it is redelivered. */
  async stop (): Promise<void> {
    const channel = this.#channel
    if (channel) await within(channel.cancel(this.#tag), STOP_LIMIT_MS)
    this.#stopping.abort()
    this.#gathered = []
    this.#wake()
    await this.#running
    // Acks are answered by nothing; this answer says that those before it arrived.
    if (channel) await within(channel.checkQueue(ORDERS_QUEUE), STOP_LIMIT_MS)
  }

  /** Whether nothing is left to do: the queue is empty and so is what was taken from it. */
  async drained (): Promise<boolean> {
    if (!this.#channel || this.#underWay > 0 || this.#gathered.length > 0) return false
    const { messageCount } = await this.#channel.checkQueue(ORDERS_QUEUE)
    return messageCount === 0 && this.#underWay === 0 && this.#gathered.length === 0
  }

  #take (channel: Channel, message: ConsumeMessage | null): void {
    // null: the queue was deleted under us; without its channel this session ends, and the next declares it again
    if (message === null) {
      void channel.close().catch(() => {})
      return
    }
    this.#gathered.push({ channel, message, events: decodeMessage(message.content) })
    this.#wake()
  }

  /** Everything unacked on a lost channel comes again. */
  #lose (channel: Channel): void {
    this.#gathered = this.#gathered.filter((delivery) => delivery.channel !== channel)
    if (this.#channel === channel) this.#channel = null
  }

  /**
   * Two batches are under way while a backlog lasts: the tables write one while the other is prepared. A batch with changes
   * goes alone, because a base may stand in the batch before it.
   */
  async #run (): Promise<void> {
    const { signal } = this.#stopping
    let last = Promise.resolve(true)
    while (!signal.aborted) {
      if (this.#gathered.length === 0) await new Promise<void>((resolve) => { this.#wake = resolve })
      const batch = this.#nextBatch()
      if (batch.length === 0) continue
      const before = last
      const alone = !batch.every(placesOnly)
      if (alone) await before
      this.#underWay++
      last = this.#finish(batch, before).finally(() => { this.#underWay-- })
      await (alone ? last : before)
    }
    await last
  }

  #nextBatch (): Delivery[] {
    let events = 0
    const end = this.#gathered.findIndex((delivery) => (events += delivery.events.length) >= BATCH_EVENTS)
    return this.#gathered.splice(0, end === -1 ? this.#gathered.length : end + 1)
  }

  /**
   * Tries until the batch is committed, its channel is lost or the worker stops; settles it after the one before.
   * @returns whether batches behind it may be acked: not when it was abandoned, because an ack of several messages at once
   * takes every earlier one of the channel along. On a lost channel there is nothing left to ack.
   */
  async #finish (batch: Delivery[], before: Promise<boolean>): Promise<boolean> {
    const { channel } = batch[0]!
    const { signal } = this.#stopping
    for (let attempt = 0; channel === this.#channel; attempt++) {
      await this.#booking.storeIsUp(signal)
      if (signal.aborted) return false
      try {
        await this.#book(batch)
        if (!await before) return false
        this.#settle(batch)
        return true
      } catch (error) {
        if (!isPassing(error)) throw error
        if (attempt % 10 === 0) this.#log.warn({ err: error, batch_size: batch.length, attempt }, 'a batch could not be written: it is held and tried again')
        await wait(backOff(attempt), undefined, { signal }).catch(() => {})
      }
    }
    return true
  }

  async #book (batch: Delivery[]): Promise<void> {
    const events: OrderEvent[] = []
    const parked: ParkedEvent[] = []
    for (const { events: decoded, message } of batch) {
      for (const one of decoded) {
        if ('event' in one) events.push(one.event)
        else if (one.fault.code === 'malformed') parked.push({ source: 'queue', reason: one.fault.message, attempts: 1, headers: headersOf(message), raw: one.raw })
      }
    }
    await this.#booking.park(parked)
    await this.#booking.book(events, 'queue')
  }

  #settle (batch: Delivery[]): void {
    const { channel, message: last } = batch.at(-1)!
    if (channel !== this.#channel) return
    const held = batch.filter((delivery) => verdictOf(delivery) === 'hold')
    if (held.length > 0) this.#log.warn({ batch_size: held.length, reason: 'newer_schema' }, 'messages of a newer schema are held: deploy workers before apis')
    this.#held += held.length
    if (this.#held === 0) channel.ack(last, true)
    else for (const delivery of batch) if (!held.includes(delivery)) channel.ack(delivery.message)
  }
}

function placesOnly ({ events }: Delivery): boolean {
  return events.every((one) => 'fault' in one || one.event.base === null)
}

function verdictOf ({ events }: Delivery): Verdict {
  return events.some((one) => 'fault' in one && one.fault.code === 'newer_schema') ? 'hold' : 'ack'
}

function headersOf ({ properties }: ConsumeMessage): Record<string, unknown> {
  const { messageId, contentType, headers } = properties
  return { messageId: messageId as unknown, contentType: contentType as unknown, ...headers }
}
