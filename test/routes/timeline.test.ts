import type { Response } from 'light-my-request'
import t from 'tap'
import type { OrderEvent } from '../../src/orders/event.js'
import { acceptedView } from '../../src/orders/view.js'
import { type App, startApi, startWorker } from '../support/apps.js'
import { amendment, enqueueFallback } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, booked, cancel, events, line, newcomer, newOperator, place as placeOrder, type Shown } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'

interface Entry extends Record<string, unknown> { event_id: string, version: number, outcome: string, base: string | null }

const place = await openPlace(t)
const api = await startApi(t, place, { TRUST_PROXY: '127.0.0.1' })
const ana = await newcomer(api)
const operator = await newOperator(api, place)
const timeline = async (id: string, app = api) => (await ask(app, ana, events(id))).json<{ items: Entry[] }>().items
const outcomes = (entries: Entry[]) => entries.map(({ version, outcome }) => `${version} ${outcome}`)
const placedAndChanged = async (app: App) => {
  const { order_id: id } = (await placeOrder(app, ana, line, { 'x-request-id': 'first' })).json<Shown>()
  await ask(app, ana, amend(id, { item_quantity: 5 }), { 'x-request-id': 'second' })
  await ask(app, ana, cancel(id), { 'x-request-id': 'third' })
  return id
}
/** From within a test: tap ends a file whose tests are through while it still awaits at the top. */
const startBooking = async () => await startWorker(t, place)
const steps = [
  { type: 'order.placed', version: 1, base: null, request_id: 'first', order: { ...line, total_value: 5970 } },
  { type: 'order.amended', version: 2, request_id: 'second', order: { item_quantity: 5, total_value: 9950 } },
  { type: 'order.cancelled', version: 3, request_id: 'third', order: { item_quantity: 5, status: 'cancelled' } }
]
let queued = ''

t.test('what is only accepted is told in full, from the broker\'s path', needs('redis', 'rabbitmq'), async (t) => {
  queued = await placedAndChanged(api)
  const entries = await timeline(queued)
  t.match(entries, steps.map((step) => ({ ...step, outcome: 'accepted', recorded_at: null })))
  t.equal(entries[0]!.base, null)
  t.equal(entries[1]!.base, entries[0]!.event_id)
  t.equal(entries[2]!.base, entries[1]!.event_id)
})

t.test('and from the fallback queue, with Redis or without', async (t) => {
  for (const env of [{ AMQP_URL: '' }, { AMQP_URL: '', REDIS_URL: '' }]) {
    const local = await startApi(t, place, { ...env, TRUST_PROXY: '127.0.0.1' })
    t.match(await timeline(await placedAndChanged(local), local), steps.map((step) => ({ ...step, outcome: 'accepted' })))
  }
})

t.test('it names who asked for each change, customer or operator, before and after it is applied', needs('redis', 'rabbitmq'), async (t) => {
  const { order_id } = (await placeOrder(api, ana, line)).json<Shown>()
  await ask(api, operator, cancel(order_id))
  const actors = [`user:${ana.user_id}`, `operator:${operator.user_id}`]
  t.strictSame((await timeline(order_id)).map(({ actor }) => actor), actors)
  await startBooking()
  await eventually('all is applied', async () => (await timeline(order_id)).every(({ outcome }) => outcome === 'applied'))
  t.strictSame((await timeline(order_id)).map(({ actor }) => actor), actors)
})

t.test('what was applied says when it was recorded', needs('redis', 'rabbitmq'), async (t) => {
  await startBooking()
  const entries = await eventually('all is applied', async () => {
    const found = await timeline(queued)
    return found.every(({ outcome }) => outcome === 'applied') && found
  })
  t.match(entries, steps)
  t.strictSame(entries.map(({ order }) => (order as Shown).status), ['confirmed', 'confirmed', 'cancelled'])
  for (const entry of entries) t.ok(Date.parse(entry.recorded_at as string) >= Date.parse(entry.occurred_at as string) - 1000)
})

t.test('a rejected attempt stands there with its reason and its request', async (t) => {
  const alone = await startApi(t, place, { REDIS_URL: '', TRUST_PROXY: '127.0.0.1' })
  const { order_id: id } = await booked(api, ana)
  const taken = (await Promise.all([1, 2, 3, 4].map(async (n) => await ask(alone, ana, amend(id, { item_quantity: 100 + n }), { 'if-match': '"1"', 'x-request-id': `race-${n}` })))).filter(({ statusCode }) => statusCode === 202)
  const entries = await eventually('all are recorded', async () => {
    const found = await timeline(id)
    return found.length === 1 + taken.length && found
  })
  const rejected = entries.filter(({ outcome }) => outcome === 'rejected')
  t.equal(rejected.length, taken.length - 1)
  for (const entry of rejected) t.match(entry, { version: 2, reason: 'superseded', request_id: /^race-\d$/, recorded_at: /Z$/ })
  t.ok(entries.every((entry) => entry.outcome === 'rejected' || !('reason' in entry)))
})

t.test('what is recorded and what is pending beside it stand there once each', needs('redis', 'rabbitmq'), async (t) => {
  const { order_id: id } = await booked(api, ana)
  const { rows } = await place.pool.query('select event_id, type, base, data as order, occurred_at, request_id from order_events where order_id = $1', [id])
  const first: OrderEvent = { ...rows[0], occurred_at: (rows[0].occurred_at as Date).toISOString() }
  const second = amendment(first)
  await api.views!.put([{ view: acceptedView(second, acceptedView(first)) }])
  t.strictSame(outcomes(await timeline(id)), ['1 applied', '2 accepted'])
  await enqueueFallback(place.pool, [second])
  await eventually('both are applied', async () => (await timeline(id)).filter(({ outcome }) => outcome === 'applied').length === 2)
  t.strictSame(outcomes(await timeline(id)), ['1 applied', '2 applied'])
})

t.test('it comes in pages that Link leads through', async (t) => {
  const { order_id: id } = await booked(api, ana)
  for (const quantity of [4, 5, 6, 7]) await ask(api, ana, amend(id, { item_quantity: quantity }))
  await eventually('all is applied', async () => (await timeline(id)).filter(({ outcome }) => outcome === 'applied').length === 5)
  const walked: Entry[] = []
  let path: string | undefined = `/orders/${id}/events?limit=2`
  for (let pages = 0; path !== undefined; pages++) {
    const response: Response = await api.inject({ url: path, headers: ana.headers })
    walked.push(...response.json<{ items: Entry[] }>().items)
    path = /^<([^>]+)>; rel="next"$/.exec(response.headers.link as string ?? '')?.[1]
    t.ok(pages < 3)
  }
  t.strictSame(walked, await timeline(id))
  for (const query of ['?cursor=x', '?cursor=', `?cursor=${Buffer.from('0 x').toString('base64url')}`]) isProblem(t, await ask(api, ana, events(id, query)), 400, 'bad-cursor', query)
  for (const query of ['?limit=0', '?limit=101', '?x=1']) isProblem(t, await ask(api, ana, events(id, query)), 400, 'validation-failed', query)
})

t.test('it is its owner\'s and the operators\' alone', async (t) => {
  const bia = await newcomer(api)
  const { order_id: id } = await booked(api, ana)
  isProblem(t, await ask(api, bia, events(id)), 404, 'order-not-found')
  t.equal((await ask(api, operator, events(id))).statusCode, 200)
  t.equal((await ask(api, ana, events(id))).headers['cache-control'], 'private, no-cache')
})
