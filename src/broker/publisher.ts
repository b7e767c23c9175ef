import type { ConfirmChannel, Message } from 'amqplib'
import type { SerializedEvent } from '../orders/envelope.js'
import type { Mac } from '../secrets/mac.js'
import { encodeMessage } from './codec.js'
import { Group, GroupError } from './group.js'
import { SIGNATURE, signatureOf } from './signature.js'
import { INTAKE_EXCHANGE, INTAKE_KEY } from './topology.js'

export interface PublisherOptions {
  /** From an event's arrival to its confirm, milliseconds. */
  confirmTimeoutMs: number
  /** Signs each message; null: no key is given */
  mac: Mac | null
  /** Told when a message was not answered in twice that time: the connection is taken for lost, whatever it looks like. */
  onStuck (): void
  /** Told of every confirmed message: how many events it held and how long its confirm took, milliseconds. */
  onConfirmed? (events: number, ms: number): void
}

/**
 * Publishes order events and resolves each when the broker has confirmed it: a majority of the queue's nodes has it on disk.
 * One publisher outlives many broker sessions: `use` gives it the channel of the present one.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #group: Group<SerializedEvent>
  readonly #returned = new Set<string>()
  #channel: ConfirmChannel | null = null
  #blocked = false
  /** Ends every publish under way when its channel is lost: not all confirm callbacks can be relied on to come back. */
  readonly #lost = new Set<(error: Error) => void>()

  constructor (options: PublisherOptions) {
    const { confirmTimeoutMs } = options
    this.#options = options
    this.#group = new Group({
      send: (events) => this.#publish(events),
      sizeOf: ({ json }) => json.length,
      maxItems: 256,
      maxBytes: 128 * 1024,
      maxInFlight: 4,
      maxHeld: 16_384,
      timeLimitMs: confirmTimeoutMs
    })
  }

  /** Whether it is worth publishing now; if not, the fallback queue is the faster path. */
  get open (): boolean {
    return this.#channel !== null && !this.#blocked && !this.#group.stalled
  }

  /** Takes the confirm channel of a new session, until it closes. */
  use (channel: ConfirmChannel): void {
    this.#channel = channel
    this.#blocked = false
    channel.on('return', (message: Message) => this.#returned.add(message.properties.messageId as string))
    channel.on('close', () => this.#close(channel))
    channel.on('error', () => this.#close(channel))
  }

  /** Events that wait to be sent or to be confirmed. */
  get held (): number {
    return this.#group.held
  }

  /** A memory or disk alarm: the broker has stopped reading from this connection. */
  block (blocked: boolean): void {
    this.#blocked = blocked
    if (blocked) this.#group.rejectQueued('the broker is blocked by an alarm')
  }

  /** One promise an event, resolved when the broker confirmed it. @throws GroupError: `refused` never reached a queue, `unknown` may have */
  publish (events: readonly SerializedEvent[]): Array<Promise<void>> {
    if (!this.open) return events.map(() => Promise.reject(new GroupError('refused', 'no broker to publish to')))
    return this.#group.addAll(events)
  }

  /** Resolves when every event was confirmed or given up. */
  settled (): Promise<void> {
    return this.#group.settled()
  }

  async #publish (events: SerializedEvent[]): Promise<void> {
    const channel = this.#channel
    if (!channel) throw new GroupError('refused', 'no broker to publish to')
    const { content, contentType } = encodeMessage(events)
    const messageId = events[0]!.event.event_id
    const { mac } = this.#options
    const options = { persistent: true, mandatory: true, messageId, contentType, appId: 'comanda', ...(mac ? { headers: { [SIGNATURE]: signatureOf(mac, content) } } : {}) }
    const stuck = setTimeout(() => {
      this.#close(channel)
      this.#options.onStuck()
    }, 2 * this.#options.confirmTimeoutMs)
    const sent = performance.now()
    let lose: ((error: Error) => void) | undefined
    await new Promise<void>((resolve, reject) => {
      lose = reject
      this.#lost.add(reject)
      channel.publish(INTAKE_EXCHANGE, INTAKE_KEY, content, options, (error: unknown) => {
        // A nack and a closed channel look alike here, so both count as unknown.
        if (error) reject(new GroupError('unknown', 'not confirmed by the broker', { cause: error }))
        else if (this.#returned.delete(messageId)) {
          reject(new GroupError('refused', 'no queue is bound to the exchange'))
          void channel.close().catch(() => {}) // ends the session: the next one declares the topology again
        } else resolve()
      })
    }).finally(() => {
      clearTimeout(stuck)
      if (lose) this.#lost.delete(lose)
    })
    this.#options.onConfirmed?.(events.length, performance.now() - sent)
  }

  #close (channel: ConfirmChannel): void {
    if (this.#channel !== channel) return
    this.#channel = null
    this.#returned.clear()
    this.#group.rejectQueued('the connection to the broker was lost')
    for (const lose of this.#lost) lose(new GroupError('unknown', 'the connection to the broker was lost before its confirm'))
    this.#lost.clear()
  }
}
