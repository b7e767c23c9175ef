import { type ChannelModel, connect, type ConsumeMessage } from 'amqplib'
import { EVENTS_EXCHANGE } from '../src/broker/topology.js'
import type { DrillService } from './own-service.js'
import { heard, type Heard } from './telling.js'

const QUEUE = 'drill.listener'
const PREFETCH = 100
const AGAIN_MS = 250

/** Another service that listens to the exchange: a quorum queue of its own, an ack behind each event, a new connection after each loss. */
export class ExchangeListener {
  readonly #broker: DrillService
  readonly #told: (heard: Heard) => void
  #connection: ChannelModel | null = null
  #stopped = false
  #again: NodeJS.Timeout | undefined

  constructor (broker: DrillService, told: (heard: Heard) => void) {
    this.#broker = broker
    this.#told = told
  }

  /** Resolves when its queue is bound: what is told from now on reaches it. @throws Error */
  async start (): Promise<void> {
    const connection = await connect(`${this.#broker.url}?heartbeat=5`, { timeout: 2000, noDelay: true })
    this.#connection = connection
    connection.on('error', () => {}) // `close` follows
    connection.on('close', () => this.#later())
    const channel = await connection.createChannel()
    channel.on('error', () => {})
    channel.on('close', () => { connection.close().catch(() => {}) })
    await channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.bindQueue(QUEUE, EVENTS_EXCHANGE, '#')
    await channel.prefetch(PREFETCH)
    await channel.consume(QUEUE, (message: ConsumeMessage | null) => {
      if (message === null) {
        connection.close().catch(() => {})
        return
      }
      this.#told({ ...heard(message.content.toString()), ...(message.fields.redelivered && { redelivered: true }) })
      channel.ack(message)
    })
  }

  async stop (): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#again)
    await this.#connection?.close().catch(() => {})
  }

  #later (): void {
    this.#connection = null
    if (this.#stopped) return
    clearTimeout(this.#again) // a start that fails on an open connection comes here twice
    this.#again = setTimeout(() => { this.start().catch(() => this.#later()) }, AGAIN_MS)
  }
}
