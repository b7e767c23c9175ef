import { type Static, Type } from '@sinclair/typebox'
import { VISIBLE } from '../../http/text-patterns.js'
import { FEED_TYPES } from '../../orders/feed-event.js'
import { DELIVERY_STATES, type DeliveryState, DISABLED_REASONS, type DisabledReason, type EndpointState, FAILURES, type Failure, PING } from '../../webhooks/endpoint.js'

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })
const NextCursor = Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` to get the next page; null on the last page' })
/** Within the integers that JSON can carry everywhere. */
const Position = (description: string) => Type.Integer({ minimum: 0, maximum: 999_999_999_999_999, description, examples: [42] })
const FeedType = Type.Unsafe<string>({ type: 'string', enum: [...FEED_TYPES] })

const url = Type.String({ minLength: 1, maxLength: 2000, description: 'Where deliveries go: https, without a user, a password or a fragment, and to a public address; a development service takes http and any address', examples: ['https://example.com/comanda'] })
const types = Maybe(Type.Array(FeedType, { minItems: 1, maxItems: FEED_TYPES.length, uniqueItems: true }), 'Events of these types only; null: of all')
const description = Maybe(Type.String({ minLength: 1, maxLength: 256, pattern: VISIBLE }), 'For its owner')

export const WebhookBody = Type.Object({ url, types: Type.Optional(types), description: Type.Optional(description) }, { $id: 'WebhookBody', additionalProperties: false })

export const WebhookPatch = Type.Object({
  url: Type.Optional(url),
  types: Type.Optional(types),
  description: Type.Optional(description),
  enabled: Type.Optional(Type.Boolean({ description: '`false`: deliveries wait; `true`: what waited is delivered' }))
}, { $id: 'WebhookPatch', additionalProperties: false, minProperties: 1, description: 'At least one of these members' })

const endpoint = {
  webhook_id: Type.String({ format: 'uuid', examples: ['0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] }),
  user_id: Type.Integer({ description: 'Its owner: a customer is told of their own orders, an operator of all', examples: [1] }),
  url: Type.String({ description: 'To others than its owner only the origin', examples: ['https://example.com/comanda'] }),
  description: Maybe(Type.String(), 'For its owner'),
  types: Maybe(Type.Array(FeedType), 'null: all'),
  state: Type.Unsafe<EndpointState>({ type: 'string', enum: ['enabled', 'disabled'] }),
  disabled_reason: Maybe(Type.Unsafe<DisabledReason>({ type: 'string', enum: [...DISABLED_REASONS] }), '`owner`, `operator`: turned off; `gone`: it answered 410; `failing`: five days of nothing but failures'),
  disabled_at: Maybe(Timestamp, 'Since when'),
  failing_since: Maybe(Timestamp, 'The first failure after the last success'),
  replaying: Maybe(Type.Object({ after: Type.Integer(), before: Type.Integer() }), 'The positions that are still to be told again: behind `after`, up to `before`'),
  created_at: Timestamp,
  updated_at: Timestamp
}
const warning = Type.Optional(Type.String({ description: 'Why nothing may arrive, though it is registered', examples: ['This name leads to an address that is not public: nothing is delivered while it does.'] }))
const secret = Type.String({ description: 'Verifies signatures (Standard Webhooks); shown here only', examples: [`whsec_${'A'.repeat(43)}=`] })

export const WebhookResponse = Type.Object({ ...endpoint, warning }, { $id: 'Webhook' })
export const CreatedWebhook = Type.Object({ ...endpoint, secret, warning }, { $id: 'CreatedWebhook' })
export const WebhookSecret = Type.Object({ secret }, { $id: 'WebhookSecret' })
export const WebhookPage = Type.Object({ items: Type.Array(WebhookResponse), next_cursor: NextCursor }, { $id: 'WebhookPage' })

export const DeliveryResponse = Type.Object({
  delivery_id: Type.Integer({ examples: [17] }),
  webhook_id: endpoint.webhook_id,
  message_id: Type.String({ description: 'The `webhook-id` of every attempt: the id of the event', examples: ['01a218e8-128d-7447-a4e0-ff5587579be3'] }),
  type: Type.Unsafe<string>({ type: 'string', enum: [...FEED_TYPES, PING] }),
  position: Maybe(Type.Integer(), 'Of the event in the feed; null: a test call'),
  state: Type.Unsafe<DeliveryState>({ type: 'string', enum: [...DELIVERY_STATES] }),
  attempts: Type.Array(Type.Object({
    at: Timestamp,
    status: Maybe(Type.Integer(), 'Of the answer; null: there was none'),
    failure: Maybe(Type.Unsafe<Failure>({ type: 'string', enum: [...FAILURES] }), 'null: it was delivered. `superseded` (the event was decided anew), `not_allowed` (its owner may not be told of it any more) and `expired` (it waited for 30 days) end a delivery without an attempt'),
    ms: Type.Integer(),
    bytes: Type.Integer({ description: 'Of the body of the answer, as far as it was read' })
  })),
  next_attempt_at: Maybe(Timestamp, 'null: there is none to come'),
  missing_key: Maybe(Type.String(), 'The id of the key in DATA_KEYS without which it cannot be signed'),
  created_at: Timestamp,
  settled_at: Maybe(Timestamp, 'When it was delivered or given up')
}, { $id: 'Delivery' })
export const DeliveryPage = Type.Object({ items: Type.Array(DeliveryResponse), next_cursor: NextCursor }, { $id: 'DeliveryPage' })

const cursor = Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' }))
export const WebhookQuery = Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }), cursor }, { additionalProperties: false })
export const DeliveryQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor,
  state: Type.Optional(Type.Unsafe<DeliveryState>({ type: 'string', enum: [...DELIVERY_STATES] }))
}, { additionalProperties: false })

export const WebhookParams = Type.Object({ webhook_id: Type.String({ format: 'uuid' }) })
export const DeliveryParams = Type.Object({ webhook_id: Type.String({ format: 'uuid' }), delivery_id: Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: 'A number' }) })

export const ReplayBody = Type.Object({
  after: Position('Behind this position of the feed; 0: from the beginning'),
  before: Type.Optional(Position('Before this position; missing: up to now'))
}, { $id: 'ReplayBody', additionalProperties: false })

export type WebhookResponse = Static<typeof WebhookResponse>
