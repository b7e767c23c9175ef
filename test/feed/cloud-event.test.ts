import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import t from 'tap'
import { cloudEventJson, cloudEventOf } from '../../src/feed/cloud-event.js'
import { ToldEvent } from '../../src/feed/schema.js'
import type { FeedEvent } from '../../src/orders/feed-event.js'
import { amendOrder, moveOrder, type OrderEvent } from '../../src/orders/event.js'
import type { OrderStatus } from '../../src/orders/status.js'
import { placement } from '../support/events.js'
import { holds } from '../support/properties.js'

const ajv = new Ajv()
addFormats.default(ajv)
const isToldEvent = ajv.compile(ToldEvent)

const settled = (event: OrderEvent, given: Partial<FeedEvent> = {}): FeedEvent => ({
  position: 42,
  event_id: event.event_id,
  type: event.type,
  version: event.order.version,
  base: event.base,
  data: event.order,
  outcome: 'applied',
  reason: null,
  actor: 'user:1',
  traceparent: null,
  recorded_at: '2026-11-23T12:00:00.000Z',
  reopened: 0,
  ...given
})
const placed = placement(1)
const on = (status: OrderStatus) => ({ order: { ...placed.order, status }, event_id: placed.event_id })
const origin = { event_id: placement(1).event_id, now: '2026-11-23T12:00:00.000Z', request_id: 'r' }

t.test('an applied placement is told as confirmed, complete, with the position as text', async (t) => {
  const { order } = placed
  t.strictSame(cloudEventOf(settled(placed)), {
    specversion: '1.0',
    id: placed.event_id,
    source: '/comanda',
    type: 'comanda.order.confirmed',
    subject: order.order_id,
    time: '2026-11-23T12:00:00.000Z',
    datacontenttype: 'application/json',
    sequence: '00000000000000000042',
    partitionkey: order.order_id,
    orderversion: 1,
    actor: 'user:1',
    data: { order: { ...order, status: 'confirmed' } }
  })
})

t.test('each happening has its type, and an order that shows it', async (t) => {
  const cases: Array<[FeedEvent, type: string, status: OrderStatus, reason?: string]> = [
    [settled(amendOrder(on('accepted'), { item_description: 'Chá', item_quantity: 1, item_price: 2 }, origin)), 'amended', 'confirmed'],
    ...(['paid', 'shipped', 'delivered', 'cancelled'] as const).map((to): [FeedEvent, string, OrderStatus] => [settled(moveOrder(on('confirmed'), to, origin)), to, to]),
    [settled(placed, { outcome: 'rejected', reason: 'unknown_user' }), 'rejected', 'rejected', 'unknown_user'],
    [settled(moveOrder(on('confirmed'), 'paid', origin), { outcome: 'rejected', reason: 'superseded' }), 'change_rejected', 'paid', 'superseded']
  ]
  for (const [event, type, status, reason] of cases) {
    const told = cloudEventOf(event)
    t.match(told, { type: `comanda.order.${type}`, orderversion: event.version, data: { order: { status }, ...(reason === undefined ? {} : { reason }) } }, type)
    t.ok(isToldEvent(told), ajv.errorsText(isToldEvent.errors))
  }
})

t.test('its text, put together by hand, is the event, whatever stands in it', async (t) => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
  const text = fc.string({ unit: 'binary' })
  const events = fc.record({
    position: fc.nat(),
    version: fc.nat(),
    base: maybe(fc.constant(placed.event_id)),
    outcome: fc.constantFrom('applied' as const, 'rejected' as const),
    type: fc.constantFrom('order.placed' as const, 'order.amended' as const, 'order.cancelled' as const, 'order.status_changed' as const),
    reason: maybe(text),
    actor: maybe(text),
    traceparent: maybe(text),
    reopened: fc.nat({ max: 2 }),
    data: fc.record({ item_description: text, item_quantity: fc.nat(), total_value: fc.maxSafeNat(), status: fc.constantFrom('accepted' as const, 'paid' as const) }).map((order) => ({ ...placed.order, ...order }))
  })
  await holds(t, 300, events, (given) => {
    const event = settled(placed, given)
    t.strictSame(JSON.parse(cloudEventJson(event)), JSON.parse(JSON.stringify(cloudEventOf(event))))
  })
})

t.test('a trace is carried where it is known, and an unknown actor is left out', async (t) => {
  t.match(cloudEventOf(settled(placed, { traceparent: '00-x' })), { traceparent: '00-x' })
  t.notOk('actor' in cloudEventOf(settled(placed, { actor: null })))
})

t.test('a verdict that was decided anew is another event than the first', async (t) => {
  const [first, second] = [0, 1].map((reopened) => cloudEventOf(settled(placed, { reopened })))
  t.equal(first!.id, placed.event_id)
  t.equal(second!.id, `${placed.event_id}.2`)
  t.ok(isToldEvent(second))
})
