import { setTimeout as wait } from 'node:timers/promises'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { FastifyBaseLogger } from 'fastify'
import type { Backlog } from '../health/progress.js'
import { logLine } from '../logs/log-line.js'
import { isTransient } from '../store/failures.js'
import { backOff } from '../time/back-off.js'
import { within } from '../time/within.js'

const STOP_LIMIT_MS = 1000
const NOTHING = Buffer.alloc(0)
/** Of a batch that is held. */
const RETRY = { first: 100, longest: 5000 }

/** What a queue's messages mean. The consumer alone acks them. */
export interface Handler<Content> {
  readonly queue: string
  /** Messages held at a time. */
  readonly prefetch: number
  /** A batch takes whole messages until they weigh this much. */
  readonly batchWeight: number
  /** Reads a message as it comes in. Never throws. */
  read (message: ConsumeMessage): { content: Content, weight: number }
  /** Whether this batch may be handled while the one before is still under way. */
  mayOverlap (batch: readonly Content[]): boolean
  /**
   * Resolves when all of the batch is committed: booked, rejected, parked or in the fallback queue.
   * @throws StoreError `unavailable`: the same batch is tried again; any other error ends the process
   */
  handle (batch: readonly Content[]): Promise<void>
}

export interface ConsumerOptions {
  /** Resolves when the tables can be written, or when the signal says to wait no more. */
  storeIsUp (signal: AbortSignal): Promise<void>
  log: FastifyBaseLogger
}

interface Delivery<Content> {
  channel: Channel
  message: ConsumeMessage
  content: Content
  weight: number
}

/**
 * Consumes one queue in batches: while one is written the next gathers. This is the ONLY place that acks, and it does so after
 * the batch's commit. A batch that cannot be written for a transient reason is held and tried again; its messages stay where
 * they are in the queue's order.
 */
export class Consumer<Content> {
  /** Batches that failed and were tried again, since the start. */
  retried = 0
  readonly #handler: Handler<Content>
  readonly #options: ConsumerOptions
  readonly #stopping = new AbortController()
  #gathered: Array<Delivery<Content>> = []
  #wake: () => void = () => {}
  #channel: Channel | null = null
  #tag = ''
  readonly #unsettled = new Set<Delivery<Content>>()
  #settledAt = performance.now()
  #running: Promise<void> = Promise.resolve()

  constructor (handler: Handler<Content>, options: ConsumerOptions) {
    this.#handler = handler
    this.#options = options
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
    await channel.prefetch(this.#handler.prefetch)
    const { consumerTag } = await channel.consume(this.#handler.queue, (message) => this.#take(channel, message))
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
    if (channel) await within(channel.checkQueue(this.#handler.queue), STOP_LIMIT_MS)
  }

  /** null: there is no channel to ask on. */
  async backlog (): Promise<Backlog | null> {
    if (!this.#channel) return null
    const { messageCount } = await this.#channel.checkQueue(this.#handler.queue)
    return { ready: messageCount, unsettled: this.#unsettled.size, idleMs: performance.now() - this.#settledAt }
  }

  /** What the first message means that was taken and is not settled: none in this queue has waited longer. */
  get oldest (): Content | null {
    const [first] = this.#unsettled
    return first ? first.content : null
  }

  #take (channel: Channel, message: ConsumeMessage | null): void {
    // null: the queue was deleted under us; without its channel this session ends, and the next declares it again
    if (message === null) {
      void channel.close().catch(() => {})
      return
    }
    const delivery = { channel, message, ...this.#handler.read(message) }
    message.content = NOTHING // what is needed of it the handler keeps
    this.#unsettled.add(delivery)
    this.#gathered.push(delivery)
    this.#wake()
  }

  /** Everything unacked on a lost channel comes again. */
  #lose (channel: Channel): void {
    this.#gathered = this.#gathered.filter((delivery) => delivery.channel !== channel)
    for (const delivery of this.#unsettled) if (delivery.channel === channel) this.#unsettled.delete(delivery)
    if (this.#channel === channel) this.#channel = null
  }

  /** Two batches are under way while a backlog lasts: the tables write one while the other is prepared. */
  async #run (): Promise<void> {
    const { signal } = this.#stopping
    let last = Promise.resolve(true)
    while (!signal.aborted) {
      if (this.#gathered.length === 0) await new Promise<void>((resolve) => { this.#wake = resolve })
      const batch = this.#nextBatch()
      if (batch.length === 0) continue
      const before = last
      const alone = !this.#handler.mayOverlap(batch.map(({ content }) => content))
      if (alone) await before
      last = this.#finish(batch, before)
      await (alone ? last : before)
    }
    await last
  }

  #nextBatch (): Array<Delivery<Content>> {
    let weight = 0
    const end = this.#gathered.findIndex((delivery) => (weight += delivery.weight) >= this.#handler.batchWeight)
    return this.#gathered.splice(0, end === -1 ? this.#gathered.length : end + 1)
  }

  /**
   * Tries until the batch is committed, its channel is lost or the worker stops; settles it after the one before.
   * @returns whether batches behind it may be acked: not when it was abandoned, because an ack of several messages at once
   * takes every earlier one of the channel along. On a lost channel there is nothing left to ack.
   */
  async #finish (batch: Array<Delivery<Content>>, before: Promise<boolean>): Promise<boolean> {
    const { channel } = batch[0]!
    const { signal } = this.#stopping
    const { storeIsUp, log } = this.#options
    for (let attempt = 0; channel === this.#channel; attempt++) {
      await storeIsUp(signal)
      if (signal.aborted) return false
      try {
        await this.#handler.handle(batch.map(({ content }) => content))
        if (!await before) return false
        this.#settle(batch)
        return true
      } catch (error) {
        if (!isTransient(error)) throw error
        this.retried++
        if (attempt % 10 === 0) logLine(log, { event: 'batch_retried', batch_size: batch.length, attempt: attempt + 1, reason: (error as Error).message, err: error })
        await wait(backOff(attempt, RETRY), undefined, { signal }).catch(() => {})
      }
    }
    return true
  }

  #settle (batch: Array<Delivery<Content>>): void {
    const { channel, message: last } = batch.at(-1)!
    if (channel !== this.#channel) return
    this.#settledAt = performance.now()
    for (const delivery of batch) this.#unsettled.delete(delivery)
    channel.ack(last, true)
  }
}
