import t from 'tap'
import { encodeMessage, EVENT_BATCH, ONE_EVENT } from '../../src/broker/codec.js'
import { SIGNATURE } from '../../src/broker/signature.js'
import { DEAD_QUEUE, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { acceptedView } from '../../src/orders/view.js'
import { LARGEST_MESSAGE } from '../../src/worker/oversized.js'
import { isUp, startApi, startWorker } from '../support/apps.js'
import { EVENT_KEY, openChannel, publishRaw, signed } from '../support/broker.js'
import { amendment, booked, enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'

const place = await openPlace(t)
const { pool } = place
const user = await insertPerson(pool)
const batchOf = (events: OrderEvent[]) => encodeMessage(events.map(serializeEvent)).content
const rowsOf = async (events: OrderEvent[]) => (await booked(pool, events.map(({ order }) => order.order_id))).orders
const allBooked = async (events: OrderEvent[]) => await eventually(`${events.length} orders are booked`, async () => (await rowsOf(events)).length === events.length)

t.test('what is in the queue is booked, single events and batches alike', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const [one, two, three] = [placement(user), placement(user), placement(user)]
  await publishRaw(channel, batchOf([one]))
  await publishRaw(channel, batchOf([two, three]), EVENT_BATCH)
  await allBooked([one, two, three])
  await eventually('every message is acked', async () => await worker.drained())
  t.equal((await channel.checkQueue(ORDERS_QUEUE)).messageCount, 0)
})

t.test('a message that is delivered again books nothing twice', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const placed = placement(user)
  for (let times = 0; times < 3; times++) await publishRaw(channel, batchOf([placed]))
  await eventually('all three are through', async () => await worker.drained())
  t.equal((await rowsOf([placed])).length, 1)
  t.equal((await booked(pool, [placed.order.order_id])).events.length, 1)
})

t.test('one event that cannot be stored is rejected and parked alone; its batch-mates are booked', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const good = Array.from({ length: 20 }, () => placement(user))
  const bad = placement(2_000_000_000)
  await publishRaw(channel, batchOf([...good.slice(0, 7), bad, ...good.slice(7)]), EVENT_BATCH)
  await allBooked(good)
  await eventually('the message is acked', async () => await worker.drained())
  t.match((await booked(pool, [bad.order.order_id])).events, [{ outcome: 'rejected', reason: 'unknown_user' }])
  const { rows } = await pool.query('select source, reason, raw from parked_events where reason = $1', ['unknown_user'])
  t.match(rows, [{ source: 'queue' }])
  t.match(JSON.parse(rows[0].raw), { id: bad.event_id })
})

t.test('bytes that are no order event are parked as they came, and what stands beside them is booked', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const good = placement(user)
  await publishRaw(channel, 'not json at all')
  await publishRaw(channel, Buffer.from([0xff, 0x00, 0xfe]))
  await publishRaw(channel, `[${serializeEvent(good).json},{"specversion":"1.0","id":"nonsense"}]`, EVENT_BATCH)
  await allBooked([good])
  await eventually('all three are acked', async () => await worker.drained())
  const { rows } = await pool.query<{ raw: Buffer }>("select raw from parked_events where source = 'queue' and reason <> 'unknown_user'")
  t.same(rows.map(({ raw }) => raw.toString('latin1')).sort(), ['not json at all', '{"specversion":"1.0","id":"nonsense"}', Buffer.from([0xff, 0x00, 0xfe]).toString('latin1')].sort())
})

t.test('events of a newer schema step aside and are acked: they wait for a newer worker and hold nothing up', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const newer = Array.from({ length: 80 }, () => placement(user)) // more than a worker holds messages
  for (const event of newer) await publishRaw(channel, serializeEvent(event).json.replace('order-event:1', 'order-event:2'))
  const good = placement(user)
  await publishRaw(channel, batchOf([good]))
  await allBooked([good])
  await eventually('all are acked', async () => (await worker.drained()) && (await channel.checkQueue(ORDERS_QUEUE)).messageCount === 0)
  t.ok(worker.lines.some(({ event }) => event === 'newer_schema_deferred'))
  const { rows } = await pool.query("select event from fallback_queue where event ->> 'dataschema' = 'urn:comanda:order-event:2'")
  t.equal(rows.length, newer.length)
  await eventually('readiness counts them', async () => (await worker.inject('/readyz')).json<{ progress: { sources: { fallback?: { deferred: number } } } }>().progress.sources.fallback?.deferred === newer.length)
  t.equal((await pool.query("select from parked_events where raw like '%order-event:2%'")).rowCount, 0)
  await pool.query('delete from fallback_queue')
})

t.test('what claims a newer schema and names no event is parked', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await publishRaw(channel, '{"dataschema":"urn:comanda:order-event:2"}')
  await eventually('it is parked', async () => (await pool.query("select from parked_events where reason like 'order event schema 2%'")).rowCount)
  await eventually('it is acked', async () => await worker.drained())
})

t.test('a message that carries no signature of ours is parked as forged, and nothing in it is believed', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const forged = Array.from({ length: 6 }, () => placement(user))
  const headers = [{}, signed('other bytes'), signed(batchOf([forged[2]!]), ['a key of a stranger, and long enough']), { [SIGNATURE]: 1 }, { [SIGNATURE]: '' }, { [SIGNATURE]: 'v1=' }]
  for (const [index, event] of forged.entries()) await publishRaw(channel, batchOf([event]), EVENT_BATCH, headers[index])
  const newer = serializeEvent(placement(user)).json.replace('order-event:1', 'order-event:2')
  await publishRaw(channel, newer, ONE_EVENT, {})
  const good = placement(user)
  await publishRaw(channel, batchOf([good]))
  await allBooked([good])
  await eventually('all are acked', async () => await worker.drained())
  const { rows } = await pool.query<{ raw: Buffer }>("select raw from parked_events where reason = 'forged'")
  t.strictSame(rows.map(({ raw }) => raw.toString()).sort(), [...forged.map((event) => batchOf([event]).toString()), newer].sort())
  t.equal((await booked(pool, forged.map(({ order }) => order.order_id))).events.length, 0)
  t.equal((await pool.query('select from fallback_queue')).rowCount, 0)
})

t.test('whatever stands in the headers of a message, it is parked and the worker goes on', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const counts = ['abc', -1, 1e308, 5_000_000_000, {}, [], null, true, '\u0000']
  for (const [index, count] of counts.entries()) await publishRaw(channel, `strange ${index}`, ONE_EVENT, { 'x-delivery-count': count, note: 'a\u0000b' })
  const deaths = [5, 'abc', {}, [5], [null], [{ count: 'abc' }], [{ count: 5_000_000_000, reason: 7 }], [{ reason: 'a\u0000b' }]]
  for (const [index, death] of deaths.entries()) channel.sendToQueue(DEAD_QUEUE, Buffer.from(`dead ${index}`), { persistent: true, headers: { 'x-death': death } })
  await channel.waitForConfirms()
  await eventually('all are parked', async () => (await pool.query("select from parked_events where raw like 'strange %' or raw like 'dead %'")).rowCount === counts.length + deaths.length)
  const good = placement(user)
  await publishRaw(channel, batchOf([good]))
  await allBooked([good])
  t.notOk(worker.lines.some(({ event }) => ['crashed', 'rabbitmq_down', 'batch_retried'].includes(event)))
})

t.test('of a message that is larger than any of ours the beginning is kept, signed or not', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const large = ` ${'x'.repeat(LARGEST_MESSAGE)}`
  await publishRaw(channel, large)
  channel.sendToQueue(DEAD_QUEUE, Buffer.from(`y${large}`), { persistent: true })
  await eventually('both are parked', async () => (await pool.query("select from parked_events where reason like 'oversized:%'")).rowCount === 2)
  const { rows } = await pool.query<{ bytes: number }>("select length(raw) as bytes from parked_events where reason like 'oversized:%'")
  t.strictSame(rows.map(({ bytes }) => bytes), [65_536, 65_536])
  await eventually('both are acked', async () => await worker.drained())
})

t.test('while a key is rotated messages under both are booked', needs('rabbitmq'), async (t) => {
  const next = 'the-next-key-of-events-that-is-long-enough-too'
  await startWorker(t, place, { EVENT_KEYS: `${next},${EVENT_KEY}` })
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const both = [placement(user), placement(user)]
  await publishRaw(channel, batchOf([both[0]!]))
  await publishRaw(channel, batchOf([both[1]!]), EVENT_BATCH, signed(batchOf([both[1]!]), [next]))
  await allBooked(both)
})

t.test('a worker without a key books what is not signed', needs('rabbitmq'), async (t) => {
  await startWorker(t, place, { EVENT_KEYS: '' })
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const placed = placement(user)
  await publishRaw(channel, batchOf([placed]), EVENT_BATCH, {})
  await allBooked([placed])
})

t.test('a signed change that breaks the rules of its order is rejected, and says why', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const placed = placement(user)
  const cheaper = { ...amendment(placed), actor: `user:${user + 1}` }
  const backwards: OrderEvent = { ...amendment(placed), type: 'order.status_changed', actor: 'operator:1', order: { ...placed.order, version: 2, status: 'delivered' } }
  await publishRaw(channel, batchOf([placed, cheaper, backwards]))
  await eventually('all are decided', async () => (await booked(pool, [placed.order.order_id])).events.length === 3)
  const { events, orders } = await booked(pool, [placed.order.order_id])
  t.strictSame(events.map(({ outcome, reason }) => reason ?? outcome).sort(), ['applied', 'illegal_move', 'not_owner'])
  t.match(orders, [{ version: 1, status: 'confirmed', item_quantity: 2 }])
  t.equal(worker.lines.filter(({ event, reason }) => event === 'order_event_not_applied' && ['illegal_move', 'not_owner'].includes(String(reason))).length, 2)
})

t.test('a queue deleted under the worker is declared again, and consumed', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await channel.deleteQueue(ORDERS_QUEUE)
  await eventually('it knows', () => worker.lines.some(({ service, state }) => service === 'rabbitmq' && state === 'down'))
  await isUp(worker, 'rabbitmq')
  const placed = placement(user)
  await publishRaw(channel, batchOf([placed]))
  await allBooked([placed])
})

t.test('a healthy worker writes nothing above info, closing included', needs('redis', 'rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const placed = placement(user)
  await publishRaw(channel, batchOf([placed]))
  await allBooked([placed])
  await worker.close()
  t.same(worker.lines.filter(({ level }) => ['warn', 'error', 'fatal'].includes(level)), [])
})

t.test('while Postgres is away a batch is held, and booked when it is back', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const letIn = await shutDatabase(place)
  await eventually('the worker knows', () => worker.health.state('postgres') === 'down')
  const placed = Array.from({ length: 5 }, () => placement(user))
  for (const event of placed) await publishRaw(channel, batchOf([event]))
  await letIn()
  await isUp(worker, 'postgres')
  await allBooked(placed)
  await eventually('every message is acked', async () => await worker.drained())
  t.equal((await pool.query('select from parked_events where source = $1 and reason like $2', ['queue', '%avail%'])).rowCount, 0)
})

t.test('the fallback queue is applied from the tables, its rows deleted, broker or no broker', async (t) => {
  await startWorker(t, place, { AMQP_URL: '' })
  const first = placement(user)
  const events = [first, amendment(first, 4), placement(user)]
  await enqueueFallback(pool, events)
  await eventually('the fallback queue is empty', async () => (await pool.query('select from fallback_queue')).rowCount === 0)
  t.match((await booked(pool, [first.order.order_id])).orders, [{ version: 2, item_quantity: 4 }])
  t.equal((await rowsOf([events[2]!])).length, 1)
})

t.test('a fallback row that cannot be applied is parked, the others flow', async (t) => {
  const good = Array.from({ length: 10 }, () => placement(user))
  const bad = placement(2_000_000_001)
  await enqueueFallback(pool, [...good.slice(0, 3), bad, ...good.slice(3)])
  await pool.query("insert into fallback_queue (event_id, order_id, event) values (gen_random_uuid(), gen_random_uuid(), '{}')")
  await startWorker(t, place, { AMQP_URL: '' })
  await eventually('the fallback queue is empty', async () => (await pool.query('select from fallback_queue')).rowCount === 0)
  t.equal((await rowsOf(good)).length, 10)
  t.match((await booked(pool, [bad.order.order_id])).events, [{ outcome: 'rejected', reason: 'unknown_user' }])
  t.equal((await pool.query("select from parked_events where source = 'fallback'")).rowCount, 2)
})

t.test('two workers share the fallback queue without touching a row twice', async (t) => {
  await Promise.all([startWorker(t, place, { AMQP_URL: '' }), startWorker(t, place, { AMQP_URL: '' })])
  const events = Array.from({ length: 1500 }, () => placement(user))
  await enqueueFallback(pool, events)
  await allBooked(events)
  t.equal((await pool.query('select from fallback_queue')).rowCount, 0)
})

t.test('a change that overtook its placement is applied once both are there', async (t) => {
  await startWorker(t, place, { AMQP_URL: '' })
  const first = placement(user)
  const second = amendment(first, 6)
  await enqueueFallback(pool, [second])
  await eventually('it waits', async () => (await booked(pool, [first.order.order_id])).events[0]?.outcome === 'waiting')
  await enqueueFallback(pool, [first])
  await eventually('it is applied', async () => (await rowsOf([first]))[0]?.version === 2)
})

t.test('a rejected order reads as rejected with its reason, its pending view gone', needs('redis', 'rabbitmq'), async (t) => {
  const [api] = [await startApi(t, place), await startWorker(t, place)]
  const bad = placement(2_000_000_002)
  await api.views!.put([{ view: acceptedView(bad) }])
  await enqueueFallback(pool, [bad])
  await eventually('it is rejected', async () => (await booked(pool, [bad.order.order_id])).events.length === 1)
  const caller = { user_id: 2_000_000_002, role: 'customer' } as const
  await eventually('it shows', async () => (await api.orderReader.find(bad.order.order_id, caller)).order.status === 'rejected')
  const { order } = await api.orderReader.find(bad.order.order_id, caller)
  t.match(order, { status: 'rejected', reason: 'unknown_user' })
  t.strictSame(order.next_statuses, [])
})
