import type { EventMessage } from '../broker/event-publisher.js'
import { cloudEventOf } from '../feed/cloud-event.js'
import { type FeedEvent, happeningOf } from '../orders/feed-event.js'

/** A feed event as it goes to the exchange. */
export function messageOf (event: FeedEvent): EventMessage {
  const cloudEvent = cloudEventOf(event)
  return { routingKey: `order.${happeningOf(event)}`, messageId: cloudEvent.id, type: cloudEvent.type, content: Buffer.from(JSON.stringify(cloudEvent)) }
}
