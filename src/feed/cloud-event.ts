/** A feed event as others see it: CloudEvents 1.0 in JSON, with its extensions for sequence, partitioning and tracing. */
import { type Order, orderJson } from '../orders/order.js'
import { type FeedEvent, type FeedType, happeningOf, orderOf } from '../orders/feed-event.js'

export const SOURCE = '/comanda'

export interface CloudEvent {
  specversion: '1.0'
  /** Tells a repetition: the event_id; of a verdict that an operator had decided anew, with its number. */
  id: string
  source: typeof SOURCE
  type: FeedType
  /** The order_id. */
  subject: string
  /** When it was settled, ISO 8601, the clock of Postgres. */
  time: string
  datacontenttype: 'application/json'
  /** The position in 20 digits, so that it is ordered as text (CloudEvents sequence extension). */
  sequence: string
  /** The order_id. */
  partitionkey: string
  orderversion: number
  actor?: string
  traceparent?: string
  data: { order: Order, reason?: string }
}

export function cloudEventOf (event: FeedEvent): CloudEvent {
  const { data: { order_id }, actor, traceparent, reason } = event
  return {
    specversion: '1.0',
    id: idOf(event),
    source: SOURCE,
    type: `comanda.order.${happeningOf(event)}`,
    subject: order_id,
    time: event.recorded_at,
    datacontenttype: 'application/json',
    sequence: String(event.position).padStart(20, '0'),
    partitionkey: order_id,
    orderversion: event.version,
    ...(actor === null ? {} : { actor }),
    ...(traceparent === null ? {} : { traceparent }),
    data: { order: orderOf(event), ...(reason === null ? {} : { reason }) }
  }
}

/** `JSON.stringify(cloudEventOf(event))`, put together by hand: a relay writes one for each event, at half the time. */
export function cloudEventJson (event: FeedEvent): string {
  const { data: { order_id }, actor, traceparent, reason } = event
  return `{"specversion":"1.0","id":"${idOf(event)}","source":"${SOURCE}","type":"comanda.order.${happeningOf(event)}","subject":"${order_id}",` +
    `"time":"${event.recorded_at}","datacontenttype":"application/json","sequence":"${String(event.position).padStart(20, '0')}","partitionkey":"${order_id}","orderversion":${event.version}` +
    (actor === null ? '' : `,"actor":${JSON.stringify(actor)}`) +
    (traceparent === null ? '' : `,"traceparent":${JSON.stringify(traceparent)}`) +
    `,"data":{"order":${orderJson(orderOf(event))}${reason === null ? '' : `,"reason":${JSON.stringify(reason)}`}}}`
}

/** Of one event that was refused and then booked after all, the two verdicts are two events. */
export function idOf ({ event_id, reopened }: Pick<FeedEvent, 'event_id' | 'reopened'>): string {
  return reopened === 0 ? event_id : `${event_id}.${reopened + 1}`
}
