import { type Static, Type } from '@sinclair/typebox'
import { ToldEvent } from '../../feed/schema.js'
import { FEED_TYPES } from '../../orders/feed-event.js'

export const EventPage = Type.Object({
  items: Type.Array(ToldEvent),
  next_after: Type.Integer({ minimum: 0, description: 'Pass it as `after` to go on from here: always given, also where nothing is left', examples: [42] })
}, { $id: 'EventPage' })

const oneType = `(${FEED_TYPES.map((type) => type.replaceAll('.', '\\.')).join('|')})`
/** Within the integers that JSON can carry everywhere. */
const POSITION = '(0|[1-9][0-9]{0,14})'

export const EventQuery = Type.Object({
  after: Type.Optional(Type.String({ pattern: `^(now|${POSITION})$`, description: 'Only what stands behind this position of the feed, a `next_after` or the number of a `sequence`; `now`: only what has not happened yet. Missing: from the beginning, for a stream from now on', examples: ['42'] })),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 100 }),
  type: Type.Optional(Type.String({ maxLength: 400, pattern: `^${oneType}(,${oneType})*$`, description: 'These types only, comma separated', examples: ['comanda.order.paid,comanda.order.shipped'] })),
  order_id: Type.Optional(Type.String({ format: 'uuid', description: 'The events of this order only' })),
  wait: Type.Integer({ minimum: 0, maximum: 30, default: 0, description: 'Of a page that would be empty: seconds to wait until something happens' })
}, { additionalProperties: false })
export type EventQuery = Static<typeof EventQuery>

export type EventPage = Static<typeof EventPage>

export const EventHeaders = Type.Object({
  'last-event-id': Type.Optional(Type.String({ pattern: `^${POSITION}$`, description: 'For a stream, in place of `after`: the id of the last event that was received', examples: ['42'] }))
})
