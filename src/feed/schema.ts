/** The event as others see it, as a schema: for OpenAPI and AsyncAPI alike. */
import { Type } from '@sinclair/typebox'
import { ORDER_STATUSES } from '../orders/status.js'
import { ACTOR } from '../orders/actor.js'
import { FEED_TYPES } from '../orders/feed-event.js'
import { SOURCE } from './cloud-event.js'

const Uuid = Type.String({ format: 'uuid', examples: ['0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] })
const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })

export const ToldOrder = Type.Object({
  order_id: Uuid,
  user_id: Type.Integer({ examples: [1] }),
  item_description: Type.String({ examples: ['Café especial ☕'] }),
  item_quantity: Type.Integer({ examples: [2] }),
  item_price: Type.Integer({ description: 'Minor units (centavos)', examples: [1990] }),
  total_value: Type.Integer({ description: 'item_quantity x item_price, minor units', examples: [3980] }),
  status: Type.Unsafe<typeof ORDER_STATUSES[number]>({ type: 'string', enum: [...ORDER_STATUSES], examples: ['confirmed'] }),
  version: Type.Integer({ minimum: 1, examples: [1] }),
  created_at: Timestamp,
  updated_at: Timestamp,
  reason: Type.Optional(Type.String({ description: 'Why it was rejected; only with status `rejected`' }))
}, { $id: 'ToldOrder' })

export const ToldEvent = Type.Object({
  specversion: Type.Unsafe<'1.0'>({ type: 'string', enum: ['1.0'] }),
  id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\\.[1-9][0-9]*)?$', description: 'Tells a repetition: the same event has the same id wherever and however often it is told', examples: ['0199b2f4-6c1e-7b0c-8d11-2f6f0c1d4e7b'] }),
  source: Type.Unsafe<typeof SOURCE>({ type: 'string', enum: [SOURCE] }),
  type: Type.Unsafe<typeof FEED_TYPES[number]>({ type: 'string', enum: [...FEED_TYPES], description: 'What happened; `rejected`: the order could not be placed; `change_rejected`: a change was lost, and `data.order` is what it would have made of the order', examples: ['comanda.order.confirmed'] }),
  subject: Type.String({ format: 'uuid', description: 'The order_id', examples: ['0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] }),
  time: Type.String({ format: 'date-time', description: 'When it was settled', examples: ['2026-11-23T12:00:00.000Z'] }),
  datacontenttype: Type.Unsafe<'application/json'>({ type: 'string', enum: ['application/json'] }),
  sequence: Type.String({ pattern: '^[0-9]{20}$', description: 'Its position in the feed: ascending as text; some numbers are missing', examples: ['00000000000000000042'] }),
  partitionkey: Type.String({ format: 'uuid', description: 'The order_id: events with the same one come in the order of their versions', examples: ['0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] }),
  orderversion: Type.Integer({ minimum: 1, examples: [1] }),
  actor: Type.Optional(Type.String({ pattern: ACTOR, description: 'Who asked for it: `user:` or `operator:` and the user_id', examples: ['user:1'] })),
  traceparent: Type.Optional(Type.String({ description: 'W3C Trace Context of the request that asked for it' })),
  data: Type.Object({
    order: ToldOrder,
    reason: Type.Optional(Type.String({ description: 'Why it was rejected; `expired`: it was cancelled because it stayed unpaid', examples: ['superseded'] }))
  })
}, { $id: 'ToldEvent' })
