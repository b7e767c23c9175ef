import { setTimeout as wait } from 'node:timers/promises'
import type { Channel, ChannelModel } from 'amqplib'
import { backOff } from '../time/back-off.js'
import { within } from '../time/within.js'
import { ensureTopology } from './topology.js'

/** One open connection to the broker with its first channel, and how to close both. */
export interface BrokerSession {
  connection: ChannelModel
  channel: Channel
  /** Which of the broker's nodes it is with. */
  node: string
  /** May reject when the connection is already gone. */
  close (): Promise<void>
}

export interface BrokerSessionsOptions {
  /** @param signal aborted once no session is wanted any more */
  open (signal: AbortSignal): Promise<BrokerSession>
  /** Told of every change: with which node it is up, or why it is away. */
  onState (state: 'up' | 'down', what: { node?: string, cause?: Error }): void
}

/** Opens what one user of the connection needs, on a channel of its own, which it gives back; runs again in every session. */
export type Attach = (connection: ChannelModel) => Promise<Channel>

const REOPEN = { first: 100, longest: 5000 }
const CLOSE_LIMIT_MS = 1000
/** A queue without a leader answers neither declare nor consume, for good. */
const PREPARE_LIMIT_MS = 5000

/**
 * Broker sessions under supervision: whatever ends one (closed, reset, silent, refused, one of its channels lost), the next
 * is opened with back-off and jitter, the topology declared and everything attached opened again on it. Nothing awaits a session, so nothing hangs on the broker.
 */
export class BrokerSessions {
  readonly #options: BrokerSessionsOptions
  readonly #attached: Attach[] = []
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #endSession: (cause?: Error) => void = () => {}
  /** Of the present session; null: there is none. */
  connection: ChannelModel | null = null
  /** Likewise. */
  node: string | null = null

  constructor (options: BrokerSessionsOptions) {
    this.#options = options
  }

  attach (attach: Attach): void {
    this.#attached.push(attach)
  }

  start (): void {
    this.#running = this.#run()
  }

  /** Ends the present session, whatever it looks like, so that the next is opened. */
  renew (cause: Error): void {
    this.#endSession(cause)
  }

  /** Closes the session and opens no other. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    this.#endSession()
    await this.#running
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      const cause = await this.#live(() => { failures = 0 })
      if (signal.aborted) return
      this.#options.onState('down', { cause })
      await wait(backOff(failures++, REOPEN), undefined, { signal }).catch(() => {})
    }
  }

  /** One session from opening to its end. @returns why it ended */
  async #live (opened: () => void): Promise<Error> {
    let session: BrokerSession | undefined
    try {
      session = await this.#options.open(this.#stopping.signal)
      if (this.#stopping.signal.aborted) throw new Error('stopped while it was being opened')
      const ended = this.#endOf(session)
      ended.catch(() => {}) // preparing may fail first
      await Promise.race([this.#prepare(session), ended, limit(PREPARE_LIMIT_MS)])
      this.connection = session.connection
      this.node = session.node
      opened()
      this.#options.onState('up', { node: session.node })
      await ended
      return new Error('a channel or the connection was closed')
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    } finally {
      this.connection = null
      this.node = null
      if (session) await within(session.close(), CLOSE_LIMIT_MS)
    }
  }

  async #prepare ({ connection }: BrokerSession): Promise<void> {
    await ensureTopology(connection)
    for (const attach of this.#attached) {
      const attached = await attach(connection)
      // A channel does not come back by itself: its end is the session's.
      attached.on('error', (error) => this.#endSession(error))
      attached.on('close', () => this.#endSession())
    }
  }

  /** Settles when the session is over. Listeners stand at once: an `error` without a listener ends the process. */
  #endOf ({ connection, channel }: BrokerSession): Promise<void> {
    return new Promise((resolve, reject) => {
      connection.on('error', reject)
      connection.on('close', (error?: Error) => error ? reject(error) : resolve())
      channel.on('error', reject)
      channel.on('close', resolve)
      this.#endSession = (cause) => cause ? reject(cause) : resolve()
    })
  }
}

async function limit (ms: number): Promise<never> {
  await wait(ms, undefined, { ref: false })
  throw new Error(`the broker did not answer within ${ms} ms`)
}
