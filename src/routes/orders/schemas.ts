import { type Static, Type } from '@sinclair/typebox'
import { TAG_LIST } from '../../http/entity-tags.js'
import { VISIBLE } from '../../http/text-patterns.js'
import { ORDER_EVENT_TYPES, type OrderEventType } from '../../orders/event.js'
import { MAX_DESCRIPTION, MAX_PRICE, MAX_QUANTITY } from '../../orders/order.js'
import { MOVABLE_STATUSES, type MovableStatus, ORDER_STATUSES } from '../../orders/status.js'
import type { TimelineEntry } from '../../orders/timeline.js'

const input = {
  item_description: Type.String({
    minLength: 1,
    maxLength: MAX_DESCRIPTION,
    pattern: VISIBLE,
    description: '1 to 256 characters, at least one of them visible',
    examples: ['Café especial ☕']
  }),
  item_quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, examples: [2] }),
  item_price: Type.Integer({ minimum: 0, maximum: MAX_PRICE, description: 'Price of one item in minor units (centavos)', examples: [1990] })
}

export const OrderBody = Type.Object(input, { $id: 'OrderBody', additionalProperties: false })

export const OrderPatch = Type.Partial(Type.Object(input), { $id: 'OrderPatch', additionalProperties: false, minProperties: 1, description: 'At least one of these members' })

export const StatusBody = Type.Object({
  status: Type.Unsafe<MovableStatus>({ type: 'string', enum: [...MOVABLE_STATUSES] })
}, { $id: 'StatusBody', additionalProperties: false })

/** Visible ASCII, as RFC 9110 field values are; two header lines arrive joined by a comma and a space and are refused. */
const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[!-+\\--~]+$',
  description: '1 to 255 visible ASCII characters without commas. Repeating a request with the same key and body does not place a second order; a key belongs to its order permanently',
  examples: ['2b1f8c1e-order-17']
})

export const OrderBatch = Type.Array(
  Type.Object({ ...input, idempotency_key: Type.Optional(IdempotencyKey) }, { $id: 'BatchedOrder', additionalProperties: false }),
  { $id: 'OrderBatch', minItems: 1, maxItems: 500 }
)

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })
const Status = Type.Unsafe<typeof ORDER_STATUSES[number]>({ type: 'string', enum: [...ORDER_STATUSES] })

export const OrderResponse = Type.Object({
  order_id: Type.String({ format: 'uuid', examples: ['0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] }),
  user_id: Type.Integer({ examples: [1] }),
  item_description: Type.String({ examples: ['Café especial ☕'] }),
  item_quantity: Type.Integer({ examples: [2] }),
  item_price: Type.Integer({ description: 'Minor units (centavos)', examples: [1990] }),
  total_value: Type.Integer({ description: 'item_quantity x item_price, minor units', examples: [3980] }),
  status: Status,
  version: Type.Integer({ minimum: 1, examples: [1] }),
  created_at: Timestamp,
  updated_at: Timestamp,
  reason: Type.Optional(Type.String({ description: 'Why it was rejected; only with status `rejected`' })),
  next_statuses: Type.Array(Status, { description: 'The statuses the caller may move this order to' })
}, { $id: 'Order' })

const NextCursor = Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` to get the next page; null on the last page' })

export const OrderPage = Type.Object({ items: Type.Array(OrderResponse), next_cursor: NextCursor }, { $id: 'OrderPage' })

/** Each order of a batch has its own result: that of POST /orders, or a problem. */
export const OrderBatchResponse = Type.Object({
  items: Type.Array(Type.Object({
    status: Type.Integer({ description: '202, or the status POST /orders would have answered with', examples: [202] }),
    order: Type.Optional(OrderResponse),
    location: Type.Optional(Type.String()),
    etag: Type.Optional(Type.String()),
    replayed: Type.Optional(Type.Boolean({ description: 'The key was used before for this same order' })),
    problem: Type.Optional(Type.Unsafe<object>({ $id: 'Problem', type: 'object', additionalProperties: true }))
  }, { $id: 'BatchResult' }), { description: 'In the order of the request' })
}, { $id: 'OrderBatchResult' })

export const TimelineResponse = Type.Object({
  items: Type.Array(Type.Object({
    event_id: Type.String({ format: 'uuid' }),
    type: Type.Unsafe<OrderEventType>({ type: 'string', enum: [...ORDER_EVENT_TYPES] }),
    version: Type.Integer({ minimum: 1 }),
    base: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], { description: 'The event it was built on; null for the placement' }),
    outcome: Type.Unsafe<TimelineEntry['outcome']>({ type: 'string', enum: ['accepted', 'waiting', 'applied', 'rejected'], description: '`accepted`: not persisted yet; `waiting`: its base has not arrived yet' }),
    reason: Type.Optional(Type.String({ description: 'Why it was rejected; of an applied one `expired`: it was cancelled because it stayed unpaid', examples: ['superseded'] })),
    occurred_at: Timestamp,
    recorded_at: Type.Union([Timestamp, Type.Null()], { description: 'null until it is persisted' }),
    request_id: Type.String({ description: 'The request that caused it' }),
    actor: Type.Union([Type.String(), Type.Null()], { description: 'Who asked for it: `user:` or `operator:` and the user_id; null where it was not recorded', examples: ['user:1'] }),
    order: Type.Object({
      item_description: Type.String(),
      item_quantity: Type.Integer(),
      item_price: Type.Integer(),
      total_value: Type.Integer(),
      status: Status
    }, { description: 'The order after this event; for a rejected event, what it would have been' })
  }, { $id: 'OrderEvent' })),
  next_cursor: NextCursor
}, { $id: 'Timeline' })

export const TimelineQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 100 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' }))
}, { additionalProperties: false })

export const OrderParams = Type.Object({ order_id: Type.String({ format: 'uuid' }) })

/** Nine digits after the second and a zone; of more than a hundred characters Postgres takes no time at all. */
const LONGEST_DATE_TIME = 35

export const OrderQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' })),
  status: Type.Optional(Status),
  created_from: Type.Optional(Type.String({ format: 'date-time', maxLength: LONGEST_DATE_TIME, description: 'RFC 3339 with a time zone; orders created at this time or later' })),
  created_to: Type.Optional(Type.String({ format: 'date-time', maxLength: LONGEST_DATE_TIME, description: 'RFC 3339 with a time zone; orders created before this time' })),
  user_id: Type.Optional(Type.Integer({ minimum: 1, maximum: 2147483647, description: 'For operators: the orders of this user' }))
}, { additionalProperties: false })

export const IdempotencyHeaders = Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) })

const TagList = (description: string) => Type.Optional(Type.String({ maxLength: 1000, pattern: TAG_LIST, description, examples: ['"3"'] }))
export const ChangeHeaders = Type.Object({ 'if-match': TagList('Entity tags of the versions that may be changed, or `*`') })
export const ReadHeaders = Type.Object({ 'if-none-match': TagList('Entity tags of the representations the client holds, or `*`') })

export type OrderBody = Static<typeof OrderBody>
export type OrderQuery = Static<typeof OrderQuery>
