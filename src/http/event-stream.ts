/** Server-sent events (HTML Living Standard, section 9.2) over one response. */
import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

export const EVENT_STREAM = 'text/event-stream'

/** A proxy that heard nothing for a minute ends the connection; this server does so after 20 seconds. */
const HEARTBEAT_MS = 15_000
/** A client that lost its stream comes back after so long, each a little later than another. */
const RETRY = { least: 1000, spread: 2000 }
/** Written and not read yet, in bytes: beyond, no more is written until it was read. */
const MOST_UNREAD = 64 * 1024
/** A reader may take so long for what was written; a stream that has ended is cut off sooner. */
const UNREAD_MS = 15_000
const END_MS = 1000

export const STREAM_HEADERS = {
  'content-type': EVENT_STREAM,
  'cache-control': 'no-cache, no-transform',
  // nginx would collect the events first.
  'x-accel-buffering': 'no',
  // Nothing follows on this connection.
  connection: 'close'
} as const

/** Whether these media types name the stream; what takes anything gets a page. */
export function acceptsStream (accept: string | undefined): boolean {
  return accept !== undefined && /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(accept) && !/text\/event-stream\s*;\s*q=0(\.0*)?\s*(,|$)/i.test(accept)
}

/** @param data of one line */
export function frameOf ({ id, event, data }: { id: number, event: string, data: string }): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`
}

export class EventStream {
  readonly #response: ServerResponse
  readonly #unreadMs: number
  readonly #heartbeat: NodeJS.Timeout
  #onRead: (all: boolean) => void = () => {}

  /** Answers at once: a client learns that it listens before anything happens. @param unreadMs how long a reader may take for what was written */
  constructor (response: ServerResponse, headers: Record<string, string>, unreadMs = UNREAD_MS) {
    this.#response = response
    this.#unreadMs = unreadMs
    response.writeHead(200, { ...headers, ...STREAM_HEADERS })
    response.write(`retry: ${RETRY.least + Math.floor(Math.random() * RETRY.spread)}\n\n`)
    this.#heartbeat = setInterval(() => {
      if (response.writableLength === 0) response.write(':\n\n')
    }, HEARTBEAT_MS)
    response.on('error', () => {}) // `close` follows
    response.on('drain', () => this.#onRead(true))
    response.once('close', () => {
      clearInterval(this.#heartbeat)
      this.#onRead(false)
    })
  }

  /** Resolves when the reader has taken enough for more. @returns false: it does not read, and is cut off */
  async write (frames: string): Promise<boolean> {
    const response = this.#response
    if (response.destroyed) return false
    response.write(frames)
    if (response.writableLength <= MOST_UNREAD) return true
    const read = await this.#drained()
    if (!read) response.destroy()
    return read
  }

  /** @param data what its reader is told last */
  end (data = ''): void {
    clearInterval(this.#heartbeat)
    this.#response.end(data)
    const cut = setTimeout(() => this.#response.destroy(), END_MS)
    this.#response.once('close', () => clearTimeout(cut))
  }

  async #drained (): Promise<boolean> {
    const over = new AbortController()
    const tooLate = wait(this.#unreadMs, false, { signal: over.signal, ref: false }).catch(() => false)
    try {
      return await Promise.race([new Promise<boolean>((resolve) => { this.#onRead = resolve }), tooLate])
    } finally {
      over.abort()
    }
  }
}
