import { EventStreamParser } from '../clients/typescript/follow/event-stream.js'
import { PATIENCE_MS } from '../testkit/clients/asking.js'
import { type Judged, OK } from './outcome.js'

const FOLLOWED_MS = 10_000

export interface Following {
  /** Resolves when the stream is open, or cannot be opened. */
  opened: Promise<Judged>
  /** Resolves when it is closed. */
  over: Promise<void>
}

/** Follows the events for ten seconds, from now on. @param told for each event */
export function follow (url: string, headers: Record<string, string>, signal: AbortSignal, told: () => void): Following {
  const closing = new AbortController()
  const patience = setTimeout(() => closing.abort(), PATIENCE_MS)
  const opening = fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal: AbortSignal.any([signal, closing.signal]) })
  const opened = opening.then(({ status }): Judged => {
    return status === 200 ? OK : { outcome: status === 429 ? 'limited' : 'failed', why: String(status) }
  }, (error: Error): Judged => ({ outcome: 'failed', why: error.name }))
  return { opened, over: readAll(opening).catch(() => {}).finally(() => closing.abort()) }

  async function readAll (opening: Promise<Response>): Promise<void> {
    const { ok, body } = await opening.finally(() => clearTimeout(patience))
    if (!ok || body === null) return
    const end = setTimeout(() => closing.abort(), FOLLOWED_MS)
    const [parser, decoder] = [new EventStreamParser(), new TextDecoder()]
    try {
      for await (const bytes of body) parser.push(decoder.decode(bytes as Uint8Array, { stream: true })).forEach(told)
    } finally {
      clearTimeout(end)
    }
  }
}
