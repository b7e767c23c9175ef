import { type Static, Type } from '@sinclair/typebox'
import { ORDER_STATUSES } from './lifecycle.js'
import { MAX_DESCRIPTION, MAX_PRICE, MAX_QUANTITY } from './order.js'

/** At least one visible character; no U+0000 and no lone surrogate: Postgres stores neither. */
const VISIBLE_TEXT = '^(?=[\\s\\S]*\\S)[^\\u0000\\p{Cs}]*$'

const line = {
  item_description: Type.String({
    minLength: 1,
    maxLength: MAX_DESCRIPTION,
    pattern: VISIBLE_TEXT,
    description: '1 to 256 characters, at least one of them visible',
    examples: ['Café especial ☕']
  }),
  item_quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, examples: [2] }),
  item_price: Type.Integer({ minimum: 0, maximum: MAX_PRICE, description: 'Price of one item in minor units (centavos)', examples: [1990] })
}

export const OrderBody = Type.Object(line, { $id: 'OrderBody', additionalProperties: false })

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })
const Status = Type.Unsafe<typeof ORDER_STATUSES[number]>({ type: 'string', enum: [...ORDER_STATUSES] })

export const OrderShown = Type.Object({
  order_id: Type.String({ format: 'uuid' }),
  user_id: Type.Integer(),
  item_description: Type.String(),
  item_quantity: Type.Integer(),
  item_price: Type.Integer({ description: 'Minor units (centavos)' }),
  total_value: Type.Integer({ description: 'item_quantity x item_price, minor units' }),
  status: Status,
  version: Type.Integer({ minimum: 1 }),
  created_at: Timestamp,
  updated_at: Timestamp,
  reason: Type.Optional(Type.String({ description: 'Why it was rejected; only with status `rejected`' })),
  next_statuses: Type.Array(Status, { description: 'The statuses that the caller may move this order to' })
}, { $id: 'Order' })

export const OrderPage = Type.Object({
  items: Type.Array(OrderShown),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` for the next page; null on the last' })
}, { $id: 'OrderPage' })

export const OrderParams = Type.Object({ order_id: Type.String({ format: 'uuid' }) })

export const OrderQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the page before' })),
  status: Type.Optional(Status),
  created_from: Type.Optional(Type.String({ format: 'date-time', description: 'RFC 3339 with its zone; orders created then or later' })),
  created_to: Type.Optional(Type.String({ format: 'date-time', description: 'RFC 3339 with its zone; orders created before then' })),
  user_id: Type.Optional(Type.Integer({ minimum: 1, maximum: 2147483647, description: 'Operators only: one user\'s orders' }))
}, { additionalProperties: false })

/** Visible ASCII, as RFC 9110 field values are; two header lines arrive joined by a comma and a space and are refused. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[!-+\\--~]+$', description: 'Names this request: repeating it with the same key and body places no second order' }))
})

export type OrderBody = Static<typeof OrderBody>
export type OrderQuery = Static<typeof OrderQuery>
