import type { EventMessage } from '../broker/event-publisher.js'
import { cloudEventJson, idOf } from '../feed/cloud-event.js'
import { type FeedEvent, happeningOf } from '../orders/feed-event.js'

/** A feed event as it goes to the exchange. */
export function messageOf (event: FeedEvent): EventMessage {
  const happening = happeningOf(event)
  return { routingKey: `order.${happening}`, messageId: idOf(event), type: `comanda.order.${happening}`, content: Buffer.from(cloudEventJson(event)) }
}
