import { setTimeout as wait } from 'node:timers/promises'
import { EventStreamParser } from '../clients/typescript/follow/event-stream.js'
import { heard, type Heard } from './telling.js'

/** A stream sends a comment every 15 seconds, and no fault lasts longer than ten. */
const SILENCE_MS = 26_000
const AGAIN_MS = 100

/** An operator who follows `GET /events`, behind the last event after each loss: no event is dropped or put in order here. */
export class StreamListener {
  readonly #url: string
  readonly #authorization: () => string
  readonly #told: (heard: Heard) => void
  readonly #stopping = new AbortController()
  #last = '0'
  #running: Promise<void> = Promise.resolve()

  /** @param port of an api, or of what stands in front of them @param authorization good for now */
  constructor (port: number, authorization: () => string, told: (heard: Heard) => void) {
    this.#url = `http://127.0.0.1:${port}/events`
    this.#authorization = authorization
    this.#told = told
  }

  start (): void {
    this.#running = this.#run()
  }

  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#follow(signal).catch(() => {})
      await wait(AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** One connection, to its end. */
  async #follow (signal: AbortSignal): Promise<void> {
    const silent = new AbortController()
    const watch = setTimeout(() => silent.abort(), SILENCE_MS)
    try {
      const headers = { accept: 'text/event-stream', authorization: this.#authorization(), 'last-event-id': this.#last, connection: 'close' }
      const { ok, body } = await fetch(this.#url, { headers, signal: AbortSignal.any([signal, silent.signal]) })
      if (!ok || body === null) return
      const [parser, decoder] = [new EventStreamParser(), new TextDecoder()]
      for await (const bytes of body) {
        watch.refresh()
        for (const { id, data } of parser.push(decoder.decode(bytes as Uint8Array, { stream: true }))) {
          this.#last = id
          this.#told(heard(data))
        }
      }
    } finally {
      clearTimeout(watch)
      silent.abort()
    }
  }
}
