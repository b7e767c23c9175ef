import type { ConfirmChannel } from 'amqplib'
import t from 'tap'
import { encodeMessage, EVENT_BATCH } from '../../src/broker/codec.js'
import { DEAD_QUEUE, declareTopology, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { inTransaction } from '../../src/store/database.js'
import { leaseFallback, countFallback, releaseFallback } from '../../src/store/fallback-queue.js'
import { startWorker } from '../support/apps.js'
import { amqpConnect, openChannel, publishRaw } from '../support/broker.js'
import { booked, enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)
const { pool } = place
const user = await insertPerson(pool)
const broker = needs('rabbitmq')
const fallbackQueueIsEmpty = async () => await eventually('the fallback queue is empty', async () => (await pool.query('select from fallback_queue')).rowCount === 0)
const rowsOf = async (ids: string[]) => (await booked(pool, ids)).orders.length

/** Takes the message and loses its channel, as a worker does that dies: the broker counts it. */
async function deliverInVain (times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const connection = await amqpConnect(place.env.AMQP_URL!)
    const channel = await connection.createChannel()
    await eventually('it is delivered', async () => await channel.get(ORDERS_QUEUE))
    await connection.close()
  }
}

async function emptyQueue (channel: ConfirmChannel): Promise<void> {
  await declareTopology(channel)
  await channel.purgeQueue(ORDERS_QUEUE)
}

for (const [deliveries, path] of [[2, 'the queue'], [3, 'the fallback queue']] as const) {
  t.test(`a message delivered ${deliveries} times is booked from ${path}`, broker, async (t) => {
    const channel = await openChannel(t, place.env.AMQP_URL!)
    await emptyQueue(channel)
    const events = Array.from({ length: 5 }, () => placement(user))
    await publishRaw(channel, encodeMessage(events.map(serializeEvent)).content, EVENT_BATCH)
    await deliverInVain(deliveries - 1)
    const worker = await startWorker(t, place)
    await eventually('all are booked', async () => await rowsOf(events.map(({ order }) => order.order_id)) === 5)
    await eventually('it is acked', async () => await worker.drained())
    t.equal(worker.lines.some(({ reason }) => reason === 'delivered_often'), path === 'the fallback queue')
    t.match(worker.lines.filter(({ event }) => event === 'batch_booked').map(({ source }) => source), [path === 'the fallback queue' ? 'fallback' : 'queue'])
  })
}

t.test('what is unreadable in a message delivered too often is parked with its deliveries, its mates are booked', broker, async (t) => {
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await emptyQueue(channel)
  const good = placement(user)
  await publishRaw(channel, `[${serializeEvent(good).json}, {"id": "],[\\"{" , "x":1e400} ]`, EVENT_BATCH)
  await deliverInVain(2)
  const worker = await startWorker(t, place)
  await eventually('it is booked', async () => await rowsOf([good.order.order_id]))
  await eventually('it is acked', async () => await worker.drained())
  const { rows } = await pool.query<{ raw: Buffer }>("select attempts, raw from parked_events where source = 'queue' and raw like '{\"id\"%'")
  t.match(rows, [{ attempts: 3 }])
  t.equal(rows[0]!.raw.toString(), '{"id": "],[\\"{" , "x":1e400}', 'its own bytes, to the last')
})

t.test('what the broker gives up is parked as bytes, never decoded, and acked', broker, async (t) => {
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await emptyQueue(channel)
  const event = placement(user)
  const bytes = serializeEvent(event).json
  await publishRaw(channel, bytes)
  const message = await eventually('it is delivered', async () => await channel.get(ORDERS_QUEUE))
  channel.nack(message, false, false)
  await eventually('the broker moved it', async () => (await channel.checkQueue(DEAD_QUEUE)).messageCount === 1)
  const worker = await startWorker(t, place)
  const { rows: [parked] } = await eventually('it is parked', async () => {
    const found = await pool.query<{ raw: Buffer, reason: string, headers: object }>("select raw, reason, headers from parked_events where source = 'dead'")
    return found.rowCount === 1 && found
  })
  t.equal(parked!.raw.toString(), bytes)
  t.equal(parked!.reason, 'dead-lettered: rejected')
  t.match(parked!.headers, { 'x-death': [{ queue: ORDERS_QUEUE }] })
  await eventually('it is acked', async () => await worker.drained())
  t.equal(await rowsOf([event.order.order_id]), 0)
  t.match(worker.lines.find(({ source }) => source === 'dead'), { level: 'error' })
})

t.test('a fallback row that three attempts did not end is refused and parked alone', async (t) => {
  const [killer, mate] = [placement(user), placement(user)]
  await enqueueFallback(pool, [killer, mate])
  await pool.query('update fallback_queue set attempts = 3 where event_id = $1', [killer.event_id])
  await startWorker(t, place, { AMQP_URL: '' })
  await fallbackQueueIsEmpty()
  t.match((await booked(pool, [killer.order.order_id])).events, [{ outcome: 'rejected', reason: 'attempts_exhausted' }])
  t.equal(await rowsOf([mate.order.order_id]), 1)
  t.match((await pool.query('select attempts from parked_events where reason = $1', ['attempts_exhausted'])).rows, [{ attempts: 4 }])
})

t.test('an attempt is counted before it is made, and a row that was tried before is tried alone', async (t) => {
  const events = Array.from({ length: 3 }, () => placement(user))
  await enqueueFallback(pool, events)
  const first = await leaseFallback(pool, 10, 60_000)
  t.strictSame(first.map(({ attempts }) => attempts), [1, 1, 1])
  t.strictSame(await leaseFallback(pool, 10, 60_000), [], 'nobody else takes them while the lease runs')
  await pool.query('update fallback_queue set due_at = now()') // the lease is over, and whoever had it is gone
  const second = await leaseFallback(pool, 10, 60_000)
  t.strictSame(second, [{ ...first[0], attempts: 2 }])
  t.equal(await countFallback(pool), 3, 'claimed ones are still to be done')
  await releaseFallback(pool, second.map(({ fallback_id }) => fallback_id))
  t.match((await pool.query('select attempts from fallback_queue order by fallback_id')).rows.map(({ attempts }) => attempts), [1, 1, 1], 'a released attempt does not count')
  await pool.query('delete from fallback_queue')
})

t.test('a row that is being applied is nobody else\'s, though its lease is over', async (t) => {
  await enqueueFallback(pool, [placement(user)])
  const [claim] = await leaseFallback(pool, 10, 0)
  await inTransaction(pool, async (client) => {
    await client.query('select from fallback_queue where fallback_id = $1 for update', [claim!.fallback_id])
    t.strictSame(await leaseFallback(pool, 10, 0), [])
  })
  t.equal((await leaseFallback(pool, 10, 0)).length, 1)
  await pool.query('delete from fallback_queue')
})

t.test('a fallback row of a newer schema waits and counts no attempt', async (t) => {
  const event = placement(user)
  await enqueueFallback(pool, [event])
  await pool.query("update fallback_queue set event = jsonb_set(event, '{dataschema}', '\"urn:comanda:order-event:2\"')")
  const worker = await startWorker(t, place, { AMQP_URL: '' })
  const mate = placement(user)
  await enqueueFallback(pool, [mate])
  await eventually('its mate is booked', async () => await rowsOf([mate.order.order_id]))
  await eventually('it was looked at and left', async () => (await pool.query('select from fallback_queue where attempts = 0 and due_at > now()')).rowCount)
  t.ok(await worker.drained(), 'it is no reason for `worker --once` to wait')
  t.equal((await pool.query('select from parked_events where source = $1 and raw like $2', ['fallback', `%${event.event_id}%`])).rowCount, 0)
  await pool.query('delete from fallback_queue')
})
