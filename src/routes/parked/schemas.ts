import { type Static, Type } from '@sinclair/typebox'
import { STORABLE } from '../../http/text-patterns.js'

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })
const NextCursor = Type.Union([Type.String(), Type.Null()], { description: 'Pass it as `cursor` to get the next page; null on the last page' })
const PARKED_ID = '^[0-9a-f]{64}$'
const PARKED_ID_EXAMPLE = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const Source = Type.Unsafe<'queue' | 'fallback' | 'dead'>({ type: 'string', enum: ['queue', 'fallback', 'dead'], description: 'Where it was taken from; `dead`: the broker gave it up' })

const parked = {
  parked_id: Type.String({ description: 'SHA-256 of its bytes', examples: [PARKED_ID_EXAMPLE] }),
  source: Source,
  reason: Type.String({ description: 'Why it was parked first: `forged`, `unknown_user`, `not_storable`, `attempts_exhausted`, `defect`, or what is wrong with its bytes', examples: ['unknown_user'] }),
  attempts: Type.Integer({ description: 'How often it was tried', examples: [1] }),
  events: Type.Integer({ description: 'Order events in it that this release can read; a list reads none of what is larger than 64 KiB', examples: [1] }),
  order_id: Maybe(Type.String(), 'Of the first of them'),
  user_id: Maybe(Type.Integer(), 'Whose order it is about, where that could be read'),
  bytes: Type.Integer({ examples: [640] }),
  parked_at: Timestamp,
  settlement: Maybe(Type.Unsafe<'replayed' | 'discarded'>({ type: 'string', enum: ['replayed', 'discarded'] }), 'What an operator made of it; null: it is open. The same bytes parked again are open again'),
  settled_at: Maybe(Timestamp, 'When')
}
export const ParkedResponse = Type.Object(parked, { $id: 'ParkedEvent' })
export const ParkedPage = Type.Object({ items: Type.Array(ParkedResponse), next_cursor: NextCursor }, { $id: 'ParkedPage' })

export const WholeParkedResponse = Type.Object({
  ...parked,
  headers: Type.Object({}, { additionalProperties: true, description: 'Of the message that it came in' }),
  raw: Type.String({ description: 'Its bytes, as they came' }),
  encoding: Type.Unsafe<'utf8' | 'base64'>({ type: 'string', enum: ['utf8', 'base64'], description: 'Of `raw`' }),
  fault: Maybe(Type.String(), 'Why it, or a part of it, is no order event; null: it can be read'),
  actions: Type.Array(Type.Object({ action: Type.String({ examples: ['replayed'] }), done_by: Type.String({ examples: ['operator:2'] }), done_at: Timestamp }), { description: 'What was done with it, oldest first' })
}, { $id: 'WholeParkedEvent' })

export const ParkedGroups = Type.Object({
  items: Type.Array(Type.Object({ reason: parked.reason, source: Source, open: Type.Integer({ examples: [3] }), oldest: Timestamp, latest: Timestamp }))
}, { $id: 'ParkedGroups' })

const selection = {
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 300, pattern: STORABLE, description: 'Exactly this reason' })),
  source: Type.Optional(Source),
  order_id: Type.Optional(Type.String({ format: 'uuid', description: 'Its bytes name this order' })),
  text: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: STORABLE, description: 'Its bytes hold this text' })),
  parked_from: Type.Optional(Type.String({ format: 'date-time', description: 'Parked at this moment or later' })),
  parked_before: Type.Optional(Type.String({ format: 'date-time', description: 'Parked before this moment' }))
}

export const ParkedQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: '`next_cursor` of the previous page' })),
  settled: Type.Boolean({ default: false, description: '`true`: those that an operator dealt with, in place of the open ones' }),
  ...selection
}, { additionalProperties: false })

export const ParkedParams = Type.Object({ parked_id: Type.String({ pattern: PARKED_ID, examples: [PARKED_ID_EXAMPLE] }) })

export const SettledResponse = Type.Object({
  parked: WholeParkedResponse,
  events: Type.Integer({ description: 'Order events that are booked anew now; 0 where it was done before', examples: [1] })
}, { $id: 'SettledParkedEvent' })

export const SettleManyBody = Type.Object({
  dry_run: Type.Optional(Type.Boolean({ description: '`true`: only counts' })),
  ids: Type.Optional(Type.Array(Type.String({ pattern: PARKED_ID }), { minItems: 1, maxItems: 500, uniqueItems: true, description: 'These, as far as they are open' })),
  ...selection
}, { $id: 'SettleManyParked', additionalProperties: false, description: 'Which of the open ones: every member that is given must fit; without any it is all of them' })
export type SettleManyBody = Static<typeof SettleManyBody>

export const Counted = Type.Object({ total: Type.Integer({ description: 'How many a job would be about now', examples: [42] }) }, { $id: 'CountedParked' })
