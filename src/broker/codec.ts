import { isUtf8 } from 'node:buffer'
import { EnvelopeError, fromEnvelope, type SerializedEvent, unreadable } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'

/** CloudEvents JSON format and JSON batch format, content types included. */
export const ONE_EVENT = 'application/cloudevents+json'
export const EVENT_BATCH = 'application/cloudevents-batch+json'

/** A batch only joins what was serialized before. */
export function encodeMessage (events: readonly SerializedEvent[]): { content: Buffer, contentType: string } {
  const [first] = events
  if (events.length === 1 && first) return { content: Buffer.from(first.json, 'latin1'), contentType: ONE_EVENT }
  return { content: Buffer.from(`[${events.map(({ json }) => json).join(',')}]`, 'latin1'), contentType: EVENT_BATCH }
}

/** One event of a message: read, or why it cannot be; and its own bytes, as they came. */
export type DecodedEvent = ({ event: OrderEvent } | { fault: EnvelopeError }) & { raw (): Buffer }

/** The content decides whether it is a batch, so a message without headers is read too. */
export function decodeMessage (content: Buffer): DecodedEvent[] {
  const whole = (detail: string) => [{ fault: new EnvelopeError('malformed', detail), raw: () => content }]
  // Decoding would put U+FFFD in place of what is no UTF-8, and book what no client ordered.
  if (!isUtf8(content)) return whole('not UTF-8')
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch {
    return whole('not JSON')
  }
  if (!Array.isArray(value)) return [decodeEvent(value, () => content)]
  if (value.length === 0) return whole('an empty batch')
  let elements: Buffer[] | undefined
  return value.map((item: unknown, index) => decodeEvent(item, () => (elements ??= elementsOf(content))[index]!))
}

function decodeEvent (value: unknown, raw: () => Buffer): DecodedEvent {
  try {
    return { event: fromEnvelope(value), raw }
  } catch (error) {
    return { fault: unreadable(error), raw }
  }
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/g

/** The bytes of each element of a JSON array that is known to be sound, white space around them left out. */
function elementsOf (array: Buffer): Buffer[] {
  const text = array.toString('latin1') // one character a byte
  const elements: Buffer[] = []
  let [depth, start] = [0, 0]
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === ']' || token === '}') depth--
    if (depth === 0 || (depth === 1 && token === ',')) {
      if (start > 0) elements.push(Buffer.from(text.slice(start, index).trim(), 'latin1'))
      start = index + 1
    }
    if (token === '[' || token === '{') depth++
  }
  return elements
}
