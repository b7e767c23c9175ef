import type { ToldEvent } from '../src/types.gen.js'
import { EventStreamParser } from './event-stream.js'

export interface FollowOptions {
  /** `http://localhost:3000` */
  baseUrl: string
  /** Asked before each connection: a stream ends with its token. */
  token: () => string | Promise<string>
  /** Begins behind this position, 0 at the beginning; missing: from now on. */
  after?: number
  types?: ReadonlyArray<ToldEvent['type']>
  orderId?: string
  /** Ends it, also while nothing happens: a `return()` of the generator waits for the next event. */
  signal?: AbortSignal
  fetch?: typeof fetch
}

export interface Told {
  /** Keep it with what was done with the event, and go on `after` it. */
  position: number
  event: ToldEvent
}

/** Refused, and trying again as it is would not help. */
export class FollowError extends Error {
  override readonly name = 'FollowError'
  readonly status: number
  /** RFC 9457, where the answer had it. */
  readonly problem: unknown

  constructor (status: number, problem: unknown) {
    super(`GET /events was refused with ${status}`)
    this.status = status
    this.problem = problem
  }
}

/** A stream sends a comment every 15 seconds. */
const SILENCE_MS = 45_000
const LONGEST_WAIT_MS = 30_000
const FIRST_WAIT_MS = 500

/**
 * What happens to orders, as it happens, each event once, in order. Whatever ends a connection, the next one goes on behind the last
 * position.
 * @throws FollowError where the request is refused for good: 400, 403, 404, and 401 with a fresh token
 */
export async function * followEvents (options: FollowOptions): AsyncGenerator<Told, void> {
  const over = new AbortController()
  const end = () => over.abort()
  options.signal?.addEventListener('abort', end)
  if (options.signal?.aborted === true) end()
  const connection = new Connection(options, over.signal)
  try {
    while (!over.signal.aborted) {
      yield * connection.read()
      await connection.pause()
    }
  } finally {
    end()
    options.signal?.removeEventListener('abort', end)
  }
}

class Connection {
  readonly #options: FollowOptions
  readonly #over: AbortSignal
  #position: number | undefined
  /** Connections in a row that told nothing. */
  #failures = 0
  #refusals = 0
  #waitMs: number | null = null

  constructor (options: FollowOptions, over: AbortSignal) {
    this.#options = options
    this.#over = over
    this.#position = options.after
  }

  /** One connection, to its end. */
  async * read (): AsyncGenerator<Told, void> {
    const silent = new AbortController()
    const stop = () => silent.abort()
    this.#over.addEventListener('abort', stop)
    let timer = setTimeout(stop, SILENCE_MS)
    const heard = () => {
      clearTimeout(timer)
      timer = setTimeout(stop, SILENCE_MS)
    }
    try {
      const body = await this.#open(silent.signal)
      if (body) yield * this.#told(body, heard)
    } catch (error) {
      if (error instanceof FollowError) throw error
    } finally {
      clearTimeout(timer)
      stop()
      this.#over.removeEventListener('abort', stop)
    }
  }

  /** As long as the server says, or longer and longer; resolves at once when it is over. */
  async pause (): Promise<void> {
    const ms = this.#waitMs ?? Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS)
    this.#waitMs = null
    this.#failures++
    if (this.#over.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#over.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms * (0.5 + Math.random() / 2))
      this.#over.addEventListener('abort', done)
    })
  }

  /** null: not now */
  async #open (signal: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
    if (this.#position === undefined) {
      const page = await this.#ask({ after: 'now', limit: '1' }, 'application/json', signal)
      if (!page) return null
      this.#position = (await page.json() as { next_after: number }).next_after
    }
    return (await this.#ask({}, 'text/event-stream', signal))?.body ?? null
  }

  async #ask (query: Record<string, string>, accept: string, signal: AbortSignal): Promise<Response | null> {
    const { baseUrl, token, types, orderId, fetch: ask = fetch } = this.#options
    const wanted = new URLSearchParams({ ...query, ...(types ? { type: types.join() } : {}), ...(orderId === undefined ? {} : { order_id: orderId }) })
    const headers: Record<string, string> = { accept, authorization: `Bearer ${await token()}` }
    if (this.#position !== undefined) headers['last-event-id'] = String(this.#position)
    const response = await ask(`${baseUrl}/events${wanted.size > 0 ? `?${wanted.toString()}` : ''}`, { headers, signal })
    if (response.ok) {
      this.#refusals = 0
      return response
    }
    const problem: unknown = await response.json().catch(() => null)
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
    if (seconds > 0) this.#waitMs = seconds * 1000
    else if (this.#isFinal(response.status)) throw new FollowError(response.status, problem)
    return null
  }

  /** A token may have ended on the way: a fresh one is tried once. */
  #isFinal (status: number): boolean {
    return [400, 403, 404].includes(status) || (status === 401 && ++this.#refusals > 1)
  }

  async * #told (body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Told, void> {
    const parser = new EventStreamParser()
    const decoder = new TextDecoder()
    const reader = body.getReader()
    try {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        heard()
        const frames = parser.push(decoder.decode(piece.value, { stream: true }))
        this.#waitMs = parser.retry
        for (const { id, data } of frames) {
          const position = Number(id)
          if (position <= (this.#position ?? 0)) continue
          this.#position = position
          this.#failures = 0
          yield { position, event: JSON.parse(data) as ToldEvent }
        }
      }
    } finally {
      reader.cancel().catch(() => {})
    }
  }
}
