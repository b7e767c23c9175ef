import { EnvelopeError, fromEnvelope, toEnvelope } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'

/** CloudEvents JSON format and JSON batch format, content types included. */
export const ONE_EVENT = 'application/cloudevents+json'
export const EVENT_BATCH = 'application/cloudevents-batch+json'

export interface EncodedEvent {
  event: OrderEvent
  json: string
  /** bytes */
  size: number
}

/** Each event is serialized once, when it arrives; a batch only joins what is there. */
export function encodeEvent (event: OrderEvent): EncodedEvent {
  const json = JSON.stringify(toEnvelope(event))
  return { event, json, size: Buffer.byteLength(json) }
}

export function encodeMessage (events: readonly EncodedEvent[]): { content: Buffer, contentType: string } {
  const [first] = events
  if (events.length === 1 && first) return { content: Buffer.from(first.json), contentType: ONE_EVENT }
  return { content: Buffer.from(`[${events.map(({ json }) => json).join(',')}]`), contentType: EVENT_BATCH }
}

/** One event of a message: read, or why it cannot be and its own bytes. */
export type DecodedEvent = { event: OrderEvent } | { fault: EnvelopeError, raw: Buffer }

/**
 * The content decides whether it is a batch, so a message without headers is read too. A bad member of a batch is given
 * back as JSON of its own; where that cannot be written (nested too deep for the stack), as the whole message.
 */
export function decodeMessage (content: Buffer): DecodedEvent[] {
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch {
    return [{ fault: new EnvelopeError('malformed', 'not JSON'), raw: content }]
  }
  if (!Array.isArray(value)) return [decodeEvent(value, () => content)]
  if (value.length === 0) return [{ fault: new EnvelopeError('malformed', 'an empty batch'), raw: content }]
  return value.map((item: unknown) => decodeEvent(item, () => bytesOf(item) ?? content))
}

function decodeEvent (value: unknown, raw: () => Buffer): DecodedEvent {
  try {
    return { event: fromEnvelope(value) }
  } catch (error) {
    if (error instanceof EnvelopeError) return { fault: error, raw: raw() }
    throw error
  }
}

function bytesOf (item: unknown): Buffer | null {
  try {
    return Buffer.from(JSON.stringify(item))
  } catch {
    return null
  }
}
