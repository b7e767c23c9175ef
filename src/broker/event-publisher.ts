import type { ConfirmChannel } from 'amqplib'
import { ONE_EVENT } from './codec.js'
import { EVENTS_EXCHANGE } from './topology.js'

/** One event for those who listen to the exchange. */
export interface EventMessage {
  /** `order.confirmed` and the like */
  routingKey: string
  /** The event's id. */
  messageId: string
  /** The event's type. */
  type: string
  content: Buffer
}

export interface EventPublisherOptions {
  /** From publishing to the last confirm, milliseconds; while the broker is blocked by an alarm there is no limit. */
  confirmTimeoutMs: number
  /** Told when that was not enough: the connection is taken for lost, whatever it looks like. */
  onStuck (): void
}

/**
 * Publishes events in the order they are given, in windows. No queue need be bound: each who listens brings one. A lost channel
 * ends the windows under way without saying how much of them arrived, so they are published again, as a whole.
 */
export class EventPublisher {
  readonly #options: EventPublisherOptions
  #channel: ConfirmChannel | null = null
  #blocked = false
  /** Of the windows under way. */
  readonly #rejections = new Set<(error: Error) => void>()

  constructor (options: EventPublisherOptions) {
    this.#options = options
  }

  /** Whether it is worth publishing now. */
  get open (): boolean {
    return this.#channel !== null && !this.#blocked
  }

  /** Takes the confirm channel of a new session, until it closes. */
  use (channel: ConfirmChannel): void {
    this.#channel = channel
    this.#blocked = false
    channel.on('close', () => this.#close(channel))
    channel.on('error', () => this.#close(channel))
  }

  /** A memory or disk alarm: what is under way waits for its end. */
  block (blocked: boolean): void {
    this.#blocked = blocked
  }

  /** Gives up the windows under way. */
  abandon (): void {
    this.#rejectAll(new Error('it was given up'))
  }

  /** Resolves when the broker has confirmed all. @throws Error where it did not: any part may have arrived */
  async publish (messages: readonly EventMessage[]): Promise<void> {
    const channel = this.#channel
    if (!channel) throw new Error('no broker to publish to')
    let rejection: (error: Error) => void = () => {}
    const stuck = setInterval(() => { if (!this.#blocked) this.#options.onStuck() }, this.#options.confirmTimeoutMs)
    try {
      await new Promise<void>((resolve, reject) => {
        let left = messages.length
        rejection = reject
        this.#rejections.add(reject)
        const confirmed = (error: unknown): void => {
          if (error) reject(new Error('not confirmed by the broker', { cause: error }))
          else if (--left === 0) resolve()
        }
        for (const { routingKey, messageId, type, content } of messages) {
          channel.publish(EVENTS_EXCHANGE, routingKey, content, { persistent: true, contentType: ONE_EVENT, messageId, type, appId: 'comanda' }, confirmed)
        }
      })
    } finally {
      clearInterval(stuck)
      this.#rejections.delete(rejection)
    }
  }

  #rejectAll (error: Error): void {
    for (const reject of this.#rejections) reject(error)
  }

  #close (channel: ConfirmChannel): void {
    if (this.#channel !== channel) return
    this.#channel = null
    this.#rejectAll(new Error('the connection to the broker was lost'))
  }
}
