import t from 'tap'
import { encodeMessage, EVENT_BATCH } from '../../src/broker/codec.js'
import { Metrics } from '../../src/metrics/metrics.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { type Depths, registerTableMetrics } from '../../src/worker/metrics.js'
import { boot, startWorker } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { amendment, enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'
import { samplesOf, scrape, valueOf } from '../support/scrape.js'

const place = await openPlace(t)
const { pool } = place
const user = await insertPerson(pool)
const booked = 'comanda_order_events_booked_total'
const drained = async (worker: Awaited<ReturnType<typeof boot>>) => await eventually('it is drained', async () => await worker.drained())

t.test('what becomes of the events of the queue is counted', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  const [recent, second, stranger] = [placement(user), placement(user), placement(user + 1_000_000)]
  const before = new Date(Date.now() - 20_000).toISOString()
  const first = { ...recent, occurred_at: before, order: { ...recent.order, created_at: before, updated_at: before } }
  const early = amendment(amendment(first))
  const send = async (events: Array<ReturnType<typeof placement>>) => {
    await publishRaw(channel, encodeMessage(events.map(serializeEvent)).content, EVENT_BATCH)
    await drained(worker)
  }
  await send([first, second])
  await send([first, second])
  await send([{ ...amendment(first), occurred_at: new Date().toISOString() }, { ...amendment(first), base: first.event_id }])
  await send([early])
  await send([stranger])
  await publishRaw(channel, 'no event at all')
  await drained(worker)
  const samples = await scrape(worker)
  const of = (outcome: string) => valueOf(samples, booked, { outcome })
  t.strictSame({ applied: of('applied'), duplicate: of('duplicate'), rejected: of('rejected'), waiting: of('waiting') }, { applied: 3, duplicate: 2, rejected: 2, waiting: 1 })
  t.equal(valueOf(samples, 'comanda_events_parked_total', { source: 'queue' }), 2, 'what is no event, and what can never be stored')
  t.equal(valueOf(samples, 'comanda_order_event_delay_seconds_count'), 3)
  t.equal(valueOf(samples, 'comanda_order_event_delay_seconds_bucket', { le: '10' }), 2, 'one was accepted 20 seconds ago')
  t.equal(valueOf(samples, 'comanda_order_event_delay_seconds_bucket', { le: '30' }), 3)
  t.equal(valueOf(samples, 'comanda_batch_persist_seconds_count'), valueOf(samples, 'comanda_batch_events_count'))
  t.equal(valueOf(samples, 'comanda_batch_events_sum'), 8)
})

t.test('the oldest event that a worker holds has an age, and what fails for a while is counted', needs('rabbitmq'), async (t) => {
  const worker = await startWorker(t, place)
  const channel = await openChannel(t, place.env.AMQP_URL!)
  t.equal(valueOf(await scrape(worker), 'comanda_backlog_oldest_seconds', { source: 'orders' }), 0)
  const locked = await pool.connect()
  await locked.query('begin; lock table orders in access exclusive mode')
  try {
    await publishRaw(channel, serializeEvent({ ...placement(user), occurred_at: new Date(Date.now() - 60_000).toISOString() }).json)
    await eventually('it is held', async () => (valueOf(await scrape(worker), 'comanda_backlog_oldest_seconds', { source: 'orders' }) ?? 0) >= 60)
    await eventually('it is tried again', async () => (valueOf(await scrape(worker), 'comanda_batches_retried_total', { source: 'orders' }) ?? 0) > 0)
    await eventually('it is seen', async () => valueOf(await scrape(worker), 'comanda_backlog_unsettled', { source: 'orders' }) === 1)
  } finally {
    await locked.query('rollback')
    locked.release()
  }
  await drained(worker)
  t.equal(valueOf(await scrape(worker), 'comanda_backlog_oldest_seconds', { source: 'orders' }), 0)
  t.strictSame((await scrape(worker)).filter(({ name }) => name === 'comanda_backlog_stuck').map(({ labels, value }) => `${labels.source} ${value}`).sort(), ['dead 0', 'fallback 0', 'orders 0'])
})

t.test('the fallback queue has a depth and an age, the parking lot what nobody dealt with', async (t) => {
  await pool.query('delete from parked_events')
  await enqueueFallback(pool, [placement(user), placement(user)])
  await pool.query("update fallback_queue set due_at = now() + interval '1 hour', taken_at = now() - interval '1 hour'")
  await pool.query("insert into parked_events (hash, source, reason, attempts, headers, raw, settlement, settled_at) values ('a', 'dead', '', 1, '{}', '', null, null), ('b', 'dead', '', 1, '{}', '', 'discarded', now())")
  const worker = await startWorker(t, place, { AMQP_URL: '' })
  const samples = await scrape(worker)
  t.equal(valueOf(samples, 'comanda_fallback_queue_rows'), 2)
  t.equal(Math.round(valueOf(samples, 'comanda_fallback_queue_oldest_seconds')! / 60), 60)
  t.equal(valueOf(samples, 'comanda_parked_events'), 1)
})

t.test('without Postgres the tables are told by no number at all', async (t) => {
  const worker = await boot(t, 'worker', { ...place.env, DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', AMQP_URL: '' })
  const samples = await scrape(worker)
  t.equal(valueOf(samples, 'comanda_fallback_queue_rows'), undefined)
  t.equal(valueOf(samples, 'comanda_service_up', { service: 'postgres' }), 0)
})

t.test('the tables are asked once in a while, however many scrape', async (t) => {
  const metrics = new Metrics()
  let asked = 0
  registerTableMetrics(metrics, async () => ({ fallback: { rows: ++asked, oldest_seconds: 0 }, parked: 0 }))
  const rows = async () => valueOf(samplesOf(await metrics.text()), 'comanda_fallback_queue_rows')
  t.strictSame([await rows(), await rows(), asked], [1, 1, 1])
})

t.test('a table that could not be asked is asked again', async (t) => {
  const metrics = new Metrics()
  let away = true
  registerTableMetrics(metrics, async (): Promise<Depths> => {
    if (away) throw new Error('away')
    return { fallback: { rows: 5, oldest_seconds: 0 }, parked: 0 }
  }, 0)
  const rows = async () => valueOf(samplesOf(await metrics.text()), 'comanda_fallback_queue_rows')
  t.equal(await rows(), undefined)
  away = false
  t.equal(await rows(), 5)
})
