import t from 'tap'
import { entityTag } from '../../src/http/entity-tags.js'
import { keyedEventId, keyedOrderId } from '../../src/orders/identity.js'
import { confirmed, MAX_PRICE, MAX_QUANTITY, type Order, totalValue } from '../../src/orders/order.js'
import { decodeCursor, encodeCursor, toPage } from '../../src/orders/page.js'
import { nextStatuses, ORDER_STATUSES } from '../../src/orders/status.js'
import { acceptedView, higher, type OrderView, persistedView, rank, orderForCaller } from '../../src/orders/view.js'
import { ROLES } from '../../src/users/roles.js'
import { placement } from '../support/events.js'

const ROUTE = 'POST /orders'
const line = { item_description: 'Café', item_quantity: 2, item_price: 500 }
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const order_id = keyedOrderId(ROUTE, 1, 'key')
const event = placement(1)
const view = (version: number, persisted: boolean): OrderView => {
  const at = { ...event, order: { ...event.order, version } }
  return persisted ? persistedView(at) : acceptedView(at)
}

t.test('the same route, user and key always name the same order', async (t) => {
  t.equal(keyedOrderId(ROUTE, 1, 'key'), order_id)
  // Pinned: a retry may reach a newer build, so the ids may never change.
  t.equal(order_id, 'c1c36aa0-a9a2-8a3b-84d7-66869561b3d7')
  t.equal(keyedEventId(order_id, line), 'ae743095-fe03-8ca1-b925-f4910c7a28d6')
})

t.test('each of route, user and key changes the order id', async (t) => {
  const ids = [order_id, keyedOrderId('POST /orders/batch', 1, 'key'), keyedOrderId(ROUTE, 2, 'key'), keyedOrderId(ROUTE, 1, 'Key')]
  t.equal(new Set(ids).size, ids.length)
})

t.test('each part of the body, and the order, changes the event id', async (t) => {
  const ids = [
    keyedEventId(order_id, line),
    keyedEventId(keyedOrderId(ROUTE, 2, 'key'), line),
    keyedEventId(order_id, { ...line, item_description: 'Cafe' }),
    keyedEventId(order_id, { ...line, item_quantity: 3 }),
    keyedEventId(order_id, { ...line, item_price: 501 }),
    keyedEventId(order_id, { ...line, item_quantity: 500, item_price: 2 })
  ]
  t.equal(new Set(ids).size, ids.length)
})

t.test('moving the border between two parts gives another id', async (t) => {
  t.not(keyedOrderId('ab', 1, 'c'), keyedOrderId('a', 1, 'bc'))
  t.not(keyedOrderId('a', 11, 'b'), keyedOrderId('a', 1, '1b'))
  t.not(keyedOrderId('a1:1', 1, 'b'), keyedOrderId('a', 1, '1:1b'))
  t.not(keyedEventId(order_id, { ...line, item_quantity: 25, item_price: 0 }), keyedEventId(order_id, { ...line, item_quantity: 2, item_price: 50 }))
  t.not(keyedOrderId('é', 1, 'k'), keyedOrderId('e\u0301', 1, 'k'), 'lengths are of bytes')
})

t.test('keyed ids are UUIDs of version 8', async (t) => {
  for (let user = 1; user <= 300; user++) {
    const id = keyedOrderId(ROUTE, user, 'key')
    if (!UUID_V8.test(id) || !UUID_V8.test(keyedEventId(id, line))) t.fail(`${id} is not a UUIDv8`)
  }
  t.match(order_id, UUID_V8)
})

t.test('the order of the body\'s members and its white space do not matter to the event id', async (t) => {
  const one = JSON.parse('{"item_description":"Café","item_quantity":2,"item_price":500}')
  const other = JSON.parse('{ "item_price": 5e2,\n "item_quantity": 2,\t"item_description": "Caf\\u00e9" }')
  t.equal(keyedEventId(order_id, other), keyedEventId(order_id, one))
})

t.test('who may move an order where, as a whole', async (t) => {
  const table = Object.fromEntries(ORDER_STATUSES.map((from) => [from, Object.fromEntries(ROLES.map((role) => [role, nextStatuses(from, role)]))]))
  t.strictSame(table, {
    accepted: { customer: ['cancelled'], operator: ['cancelled'] },
    confirmed: { customer: ['cancelled'], operator: ['paid', 'cancelled'] },
    paid: { customer: ['cancelled'], operator: ['shipped', 'cancelled'] },
    shipped: { customer: [], operator: ['delivered'] },
    delivered: { customer: [], operator: [] },
    cancelled: { customer: [], operator: [] },
    rejected: { customer: [], operator: [] }
  })
})

t.test('an order is shown with the moves of its reader', async (t) => {
  const paid: Order = { ...event.order, status: 'paid' }
  t.strictSame(orderForCaller(paid, 'customer'), { ...paid, next_statuses: ['cancelled'] })
  t.strictSame(orderForCaller(paid, 'operator').next_statuses, ['shipped', 'cancelled'])
})

t.test('persisting confirms an accepted order and leaves any other status alone', async (t) => {
  const after = ORDER_STATUSES.map((status) => confirmed({ ...event.order, status }).status)
  t.strictSame(after, ORDER_STATUSES.map((status) => status === 'accepted' ? 'confirmed' : status))
  t.match(acceptedView(event), { persisted: false, event_id: event.event_id, order: { status: 'accepted' } })
  t.match(persistedView(event), { persisted: true, event_id: event.event_id, order: { status: 'confirmed' } })
})

t.test('a later version ranks higher, and of one version the persisted view', async (t) => {
  const rising = [view(1, false), view(1, true), view(2, false), view(2, true), view(10, false)]
  t.strictSame(rising.map(rank), rising.map(rank).toSorted((a, b) => a - b))
  t.equal(new Set(rising.map(rank)).size, rising.length)
})

t.test('the higher of two views never goes back', async (t) => {
  const [low, high] = [view(1, true), view(2, false)]
  t.equal(higher(low, high), high)
  t.equal(higher(high, low), high)
  t.equal(higher(low, view(1, true)), low, 'of equals the first')
  t.equal(higher(null, low), low)
  t.equal(higher(low, null), low)
  t.equal(higher(null, null), null)
})

t.test('the entity tag is the version, with an "a" while only accepted', async (t) => {
  t.equal(entityTag({ ...event.order, version: 1, status: 'accepted' }), '"1a"')
  for (const status of ORDER_STATUSES) if (status !== 'accepted') t.equal(entityTag({ ...event.order, version: 1, status }), '"1"')
  t.equal(entityTag({ ...event.order, version: 27, status: 'paid' }), '"27"')
})

t.test('a cursor comes back as the page end it was made of', async (t) => {
  const end = { created_at: '2026-11-23T12:00:00.123Z', order_id: event.order.order_id }
  t.strictSame(decodeCursor(encodeCursor(end)), end)
  t.match(encodeCursor(end), /^[\w-]+$/, 'fit for a URL')
  t.ok(encodeCursor(end).length <= 200, 'within what the query allows')
})

t.test('what no page gave out is no cursor', async (t) => {
  const made = (text: string) => Buffer.from(text).toString('base64url')
  const id = event.order.order_id
  const good = encodeCursor({ created_at: '2026-11-23T12:00:00.123Z', order_id: id })
  const bad: Record<string, string> = {
    empty: '',
    'not base64url': '%%%',
    'plain text': 'hello',
    truncated: good.slice(0, -2),
    'with more behind it': good + 'AAAA',
    'with characters that base64url skips': `${good.slice(0, 10)}!!${good.slice(10)}`,
    'with padding': `${good}==`,
    huge: good.repeat(5000),
    '30 February': made(`2026-02-30T12:00:00.123Z ${id}`),
    '13th month': made(`2026-13-01T12:00:00.123Z ${id}`),
    '25 o\'clock': made(`2026-11-23T25:00:00.123Z ${id}`),
    'year 0': made(`0000-01-01T00:00:00.000Z ${id}`),
    'another time zone': made(`2026-11-23T12:00:00.123+03:00 ${id}`),
    'no time': made(`2026-11-23 ${id}`),
    'no id': made('2026-11-23T12:00:00.123Z '),
    'a bad id': made('2026-11-23T12:00:00.123Z 42'),
    'an id in capitals': made(`2026-11-23T12:00:00.123Z ${id.toUpperCase()}`),
    'a third part': made(`2026-11-23T12:00:00.123Z ${id} x`),
    'SQL behind the id': made(`2026-11-23T12:00:00.123Z ${id}'; drop table orders; --`)
  }
  for (const [name, cursor] of Object.entries(bad)) t.equal(decodeCursor(cursor), null, name)
})

t.test('a page keeps what fits and names the next one only when there is more', async (t) => {
  const rows = [1, 2, 3].map((version) => ({ ...event.order, order_id: placement(1).order.order_id, version }))
  const page = toPage(rows, 2, encodeCursor)
  t.strictSame(page.items, rows.slice(0, 2))
  t.strictSame(decodeCursor(page.next_cursor!), { created_at: rows[1]!.created_at, order_id: rows[1]!.order_id })
  t.strictSame(toPage(rows, 3, encodeCursor), { items: rows, next_cursor: null })
  t.strictSame(toPage([], 3, encodeCursor), { items: [], next_cursor: null })
})

t.test('the largest total is a safe integer', async (t) => {
  const total = totalValue({ ...line, item_quantity: MAX_QUANTITY, item_price: MAX_PRICE })
  t.equal(total, 10 ** 14)
  t.ok(Number.isSafeInteger(total))
  t.equal(totalValue({ ...line, item_price: 0 }), 0)
})
