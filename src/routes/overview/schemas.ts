import { Type } from '@sinclair/typebox'

const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })
const Seconds = (description: string) => Maybe(Type.Number(), description)

export const OverviewResponse = Type.Object({
  at: Timestamp,
  accepted: Maybe(Type.Integer(), 'Order events that all apis took, since it is counted: of two looks the difference is a rate; null without Redis'),
  booked: Maybe(Type.Integer(), 'The highest position of the feed: as many order events are settled'),
  delay: Maybe(Type.Object({ p50: Type.Number(), p99: Type.Number() }), 'Seconds from acceptance to booking, of what was booked in the last ten; null: nothing was'),
  queue: Maybe(Type.Object({ messages: Type.Integer(), workers: Type.Integer() }), 'Ready messages of up to 256 order events, and workers that take them'),
  fallback: Maybe(Type.Object({ events: Type.Integer(), oldest_seconds: Seconds('For how long the oldest has waited') }), 'The fallback queue in Postgres, counted to 100,000'),
  parked: Maybe(Type.Object({ open: Type.Integer(), latest: Maybe(Timestamp, 'When the last was parked') }), 'Counted to 100,000'),
  told: Maybe(Type.Array(Type.Object({ name: Type.String({ examples: ['exchange'] }), lag: Type.Integer(), lag_seconds: Seconds('For how long the oldest of them has been settled'), holder: Maybe(Type.String(), 'The relay that tells it; null: none does') })), 'Events that each way out has not told yet, counted to 100,000'),
  webhooks: Maybe(Type.Object({ enabled: Type.Integer(), failing: Type.Integer({ description: 'Enabled, and the last attempt failed' }), disabled: Type.Integer(), due: Type.Integer(), oldest_seconds: Seconds('For how long the delivery that is overdue longest has been') }), 'null: there are none here'),
  services: Type.Record(Type.String(), Type.Object({ state: Type.String({ examples: ['up'] }), since: Timestamp, lacks: Type.Optional(Type.Array(Type.String())) }), { description: 'As this api sees them' }),
  findings: Type.Array(Type.Object({
    mark: Type.Unsafe<'warn' | 'wrong'>({ type: 'string', enum: ['warn', 'wrong'], description: '`wrong`: something does not work, or an order may be lost' }),
    subject: Type.String({ examples: ['rabbitmq'] }),
    check: Type.String(),
    found: Type.String(),
    advice: Maybe(Type.String(), 'What to do')
  }), { description: 'What is wrong now, in the words of `comanda doctor`; worst first' })
}, { $id: 'Overview' })
