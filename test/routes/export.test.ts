import type { AddressInfo } from 'node:net'
import type { Response } from 'light-my-request'
import t from 'tap'
import { refuseEvent } from '../../src/parking/park.js'
import { recordEvents } from '../../src/store/order-events.js'
import { startApi, startWorker } from '../support/apps.js'
import { amendment, enqueueFallback, placement, takenOf } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { newcomer, type Person, place as placeOrder, registration } from '../support/people.js'
import { openPlace, shutDatabase } from '../support/place.js'
import { isProblem } from '../support/problems.js'

interface Event { event_id: string, order_id: string, outcome: string, reason: string | null, request_id: string, data: { user_id: number } }
interface Exported {
  exported_at: string
  user: Record<string, unknown>
  outbox: Array<{ event: { id: string, data: { user_id: number } }, taken_at: string }>
  parked_events: Array<Record<string, unknown> & { event: string }>
  order_events: Event[]
  orders: Array<{ order_id: string, user_id: number }>
}

const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '' })

const ask = async ({ headers }: Person, method: 'GET' | 'HEAD' = 'GET'): Promise<Response> => await api.inject({ method, url: '/users/me/export', headers })
const ordered = async (who: Person) => (await placeOrder(api, who)).json<{ order_id: string }>().order_id

/** So many persisted orders of this user, each with its applied placement. */
async function bulk ({ user_id: user }: Person, count: number, description = 'x'): Promise<void> {
  await place.pool.query(`
    with placed as (
      insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
      select gen_random_uuid(), $1, $3, 1, 1, 1, 'confirmed', 1, gen_random_uuid(), moment, moment
      from generate_series(1, $2) as number, lateral (select date_trunc('milliseconds', now()) - number / 3 * interval '1 ms' as moment) as at
      returning *)
    insert into order_events (event_id, order_id, version, type, data, request_id, outcome, occurred_at)
    select event_id, order_id, 1, 'order.placed', to_jsonb(placed), 'bulk', 'applied', created_at from placed`, [user, count, description])
}

t.test('the export holds everything about the person, and nothing about anybody else', async (t) => {
  const person = registration()
  const [ana, bia] = [await newcomer(api, person), await newcomer(api)]
  const worker = await startWorker(t, place, { AMQP_URL: '' })
  const persisted = [await ordered(ana), await ordered(ana)]
  const ofBia = await ordered(bia)
  await eventually('all are booked', async () => (await place.pool.query('select 1 from orders where order_id = any($1)', [[...persisted, ofBia]])).rowCount === 3)
  await worker.close()
  const waiting = amendment(placement(ana.user_id))
  const rejected = placement(ana.user_id)
  const foreign = [placement(bia.user_id), amendment(placement(bia.user_id))]
  const parked = [placement(ana.user_id), placement(bia.user_id)]
  for (const event of parked) await refuseEvent(place.pool, takenOf(event), { reason: 'not_storable', source: 'queue', attempts: 1 })
  await recordEvents(place.pool, [
    { event: waiting, outcome: 'waiting' }, { event: rejected, outcome: 'rejected', reason: 'already_placed' },
    { event: foreign[0]!, outcome: 'rejected', reason: 'already_placed' }, { event: foreign[1]!, outcome: 'waiting' }
  ])
  const taken = [placement(ana.user_id), placement(ana.user_id)]
  await enqueueFallback(place.pool, [...taken, placement(bia.user_id)])

  const response = await ask(ana)
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'content-disposition': /^attachment; filename="[\w.-]+\.json"$/, 'cache-control': 'no-store' })
  const exported = response.json<Exported>()
  t.strictSame(Object.keys(exported), ['exported_at', 'user', 'outbox', 'parked_events', 'order_events', 'orders', 'webhooks'])
  t.ok(Math.abs(Date.parse(exported.exported_at) - Date.now()) < 10_000)
  t.strictSame(exported.user, (await api.inject({ url: '/users/me', headers: ana.headers })).json())
  t.notMatch(response.body, /password|argon2|horse/)
  t.match(exported.user, { cpf: person.cpf, email: person.email, phone_number: person.phone_number, full_name: person.full_name })
  t.strictSame(exported.orders.map((order) => order.order_id).sort(), persisted.toSorted())
  const { items } = (await api.inject({ url: '/orders', headers: ana.headers })).json<{ items: Array<Record<string, unknown>> }>()
  t.strictSame(exported.orders, items.map(({ next_statuses: moves, ...order }) => order))
  const outcomes = Object.fromEntries(exported.order_events.map((event) => [event.event_id, [event.order_id, event.outcome, event.reason]]))
  const applied = (await place.pool.query<{ event_id: string, order_id: string }>('select event_id, order_id from orders where user_id = $1', [ana.user_id])).rows
  t.strictSame(outcomes, Object.fromEntries([
    ...applied.map(({ event_id: id, order_id: order }) => [id, [order, 'applied', null]]),
    [waiting.event_id, [waiting.order.order_id, 'waiting', null]],
    [rejected.event_id, [rejected.order.order_id, 'rejected', 'already_placed']],
    [parked[0]!.event_id, [parked[0]!.order.order_id, 'rejected', 'not_storable']]
  ]))
  for (const event of exported.order_events) t.match(event, { request_id: /\S/, occurred_at: /Z$/, recorded_at: /Z$/, type: /^order\./, data: { item_quantity: Number } })
  t.match(exported.parked_events, [{ id: /^[0-9a-f]{64}$/, reason: 'not_storable', source: 'queue', attempts: 1, settlement: null, parked_at: /Z$/ }])
  t.match(exported.parked_events.map(({ event }) => JSON.parse(event) as object), [{ id: parked[0]!.event_id, data: { user_id: ana.user_id, item_description: 'Café' } }])
  t.strictSame(exported.outbox.map(({ event }) => event.id), taken.map((event) => event.event_id))
  const owners = [...exported.outbox.map(({ event }) => event.data.user_id), ...exported.order_events.map(({ data }) => data.user_id), ...exported.orders.map((order) => order.user_id)]
  t.strictSame([...new Set(owners)], [ana.user_id])
})

t.test('who has ordered nothing gets empty lists', async (t) => {
  const { outbox, parked_events: parked, order_events: events, orders } = (await ask(await newcomer(api))).json<Exported>()
  t.strictSame([outbox, parked, events, orders], [[], [], [], []])
})

t.test('however much there is, each item is in it exactly once', async (t) => {
  const ana = await newcomer(api)
  await bulk(ana, 1001)
  const first = (await ask(ana)).json<Exported>().orders[0]!
  await place.pool.query(`
    insert into order_events (event_id, order_id, version, base, type, data, request_id, outcome, occurred_at)
    select gen_random_uuid(), $2, version, gen_random_uuid(), 'order.amended', jsonb_build_object('user_id', $1::integer), 'bulk', case when version > 1300 then 'waiting' else 'applied' end, now()
    from generate_series(2, 2300) as version`, [ana.user_id, first.order_id])
  await place.pool.query(`
    insert into fallback_queue (event_id, order_id, event)
    select gen_random_uuid(), gen_random_uuid(), jsonb_build_object('id', number, 'data', jsonb_build_object('user_id', $1::integer)) from generate_series(1, 1000) as number`, [ana.user_id])
  await place.pool.query(`insert into parked_events (hash, source, reason, attempts, headers, raw, user_id)
    select sha256(number::text::bytea), 'queue', 'not_storable', 1, '{}', number::text::bytea, $1 from generate_series(1, 1000) as number`, [ana.user_id])
  const { outbox, parked_events: parked, order_events: events, orders } = (await ask(ana)).json<Exported>()
  t.strictSame([parked.length, new Set(parked.map(({ event }) => event)).size], [1000, 1000])
  t.strictSame([orders.length, new Set(orders.map((order) => order.order_id)).size], [1001, 1001])
  t.strictSame([events.length, new Set(events.map((event) => event.event_id)).size], [1001 + 2299, 1001 + 2299])
  t.strictSame([outbox.length, new Set(outbox.map(({ event }) => event.id)).size], [1000, 1000])
})

t.test('the export is read page by page as the client takes it; one that breaks off is no whole document', async (t) => {
  const app = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const ana = await newcomer(app)
  // More than the buffers between the two ends hold.
  await bulk(ana, 40_000, 'é'.repeat(250))
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/users/me/export`
  const reading = await fetch(url, { headers: ana.headers })
  const reader = reading.body!.getReader()
  t.ok((await reader.read()).value!.length > 0)
  const open = await shutDatabase(place)
  try {
    await t.rejects((async () => { while (!(await reader.read()).done); })(), 'it breaks off')
    isProblem(t, await ask(ana), 503, 'unavailable', 'nothing is begun that cannot be')
  } finally {
    await open()
  }
  await eventually('Postgres is back', async () => {
    const whole = await fetch(url, { headers: ana.headers })
    return whole.ok && (await whole.json() as Exported).orders.length === 40_000
  })
  for (const line of app.lines.map((one) => JSON.stringify(one))) t.notMatch(line, /\b\d{11}\b|@example\.com|\b9\d{4}-\d{4}\b|ééé/)
})

t.test('HEAD answers like GET, without the document', async (t) => {
  const { statusCode, body, headers } = await ask(await newcomer(api), 'HEAD')
  t.strictSame([statusCode, body], [200, ''])
  t.match(headers['content-disposition'], /^attachment/)
})
