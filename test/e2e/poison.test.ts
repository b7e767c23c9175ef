import t from 'tap'
import { encodeMessage, EVENT_BATCH } from '../../src/broker/codec.js'
import { DEAD_QUEUE, declareTopology, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { booked, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { needs, openPlace } from '../support/place.js'
import { preloading } from '../support/preload.js'
import { runComanda } from '../support/processes.js'

t.setTimeout(limitOf(120_000))

/** Loaded before the worker: the process dies, as by a crash of its own, in the middle of writing whatever holds this text. */
const FATAL = 'what ends a worker'
const DIES_OF_IT = `
pg.Client.prototype.query = function (statement, ...rest) {
  if (/^(book|insert)_placements$/.test(statement?.name) && JSON.stringify(statement.values).includes(${JSON.stringify(FATAL)})) process.kill(process.pid, 'SIGKILL')
  return query.call(this, statement, ...rest)
}`

t.test('an event that ends every worker is parked alone, its mates are booked, and no worker dies of it any more', needs('rabbitmq'), async (t) => {
  const place = await openPlace(t)
  const deadly = preloading(t, DIES_OF_IT)
  const user = await insertPerson(place.pool)
  const mates = Array.from({ length: 20 }, () => placement(user))
  const killer = placement(user)
  killer.order.item_description = FATAL
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await declareTopology(channel)
  await publishRaw(channel, encodeMessage([...mates.slice(0, 9), killer, ...mates.slice(9)].map(serializeEvent)).content, EVENT_BATCH)

  let deaths = 0
  while (await runComanda(t, ['worker', '--once'], { ...place.env, ...deadly }).exited !== 0) {
    if (++deaths > 9) return t.fail('it is never parked')
  }
  t.equal(deaths, 5, 'two deliveries of the message, three attempts of the row')
  t.equal((await booked(place.pool, mates.map(({ order }) => order.order_id))).orders.length, 20)
  t.match((await booked(place.pool, [killer.order.order_id])).events, [{ outcome: 'rejected', reason: 'attempts_exhausted' }])
  const { rows } = await place.pool.query<{ raw: Buffer }>('select raw from parked_events')
  t.strictSame(rows.map(({ raw }) => (JSON.parse(raw.toString()) as { id: string }).id), [killer.event_id])
  t.equal((await channel.checkQueue(DEAD_QUEUE)).messageCount, 0, 'the broker gave nothing up')
})

t.test('a worker killed between its commit and its ack: the message comes again, books nothing again, and is acked', needs('rabbitmq'), async (t) => {
  const place = await openPlace(t)
  const placed = placement(await insertPerson(place.pool))
  const channel = await openChannel(t, place.env.AMQP_URL!)
  await declareTopology(channel)
  await publishRaw(channel, serializeEvent(placed).json)
  const deadly = preloading(t, `
pg.Client.prototype.query = function (statement, ...rest) {
  const answer = query.call(this, statement, ...rest)
  return statement?.name === 'book_placements' ? answer.then(() => process.kill(process.pid, 'SIGKILL')) : answer
}`)
  const first = runComanda(t, ['worker', '--once'], { ...place.env, ...deadly })
  await first.exited
  t.equal(first.child.signalCode, 'SIGKILL')
  t.equal((await booked(place.pool, [placed.order.order_id])).orders.length, 1, 'it was committed')
  await eventually('it is in the queue again', async () => (await channel.checkQueue(ORDERS_QUEUE)).messageCount === 1)
  const second = runComanda(t, ['worker', '--once'], place.env)
  t.equal(await second.exited, 0)
  t.match(await second.said('batch_booked'), { applied: 0, duplicates: 1 })
  t.equal((await booked(place.pool, [placed.order.order_id])).events.length, 1)
  t.equal((await channel.checkQueue(ORDERS_QUEUE)).messageCount, 0)
})
