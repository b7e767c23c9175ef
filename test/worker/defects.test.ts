import { resolve } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { encodeMessage, EVENT_BATCH } from '../../src/broker/codec.js'
import type { OrderViews } from '../../src/cache/order-views.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { listParked } from '../../src/store/parked-events.js'
import { loggingFollower } from '../../src/worker/batch-lines.js'
import { Booking } from '../../src/worker/booking.js'
import { Commits } from '../../src/worker/commits.js'
import { FallbackSource } from '../../src/worker/fallback-source.js'
import { viewsFollower } from '../../src/worker/views.js'
import { startWorker } from '../support/apps.js'
import { openChannel, publishRaw } from '../support/broker.js'
import { amendment, booked, enqueueFallback, insertPerson, placement, takenOf } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { plantBugs } from '../support/mutants.js'
import { needs, openPlace, openPool } from '../support/place.js'
import { runBuilt } from '../support/processes.js'
import { linesOf } from '../support/real-run.js'

/** What is a bug of ours must not be taken for the absence of a service, and tried for ever. */
const place = await openPlace(t)
const pool = openPool(t, place, { max: 4 })
const user = await insertPerson(pool)

function openBooking (views: Pick<OrderViews, 'put' | 'mark'> | null = null): { booking: Booking, fallback: FallbackSource, lines: Array<Record<string, unknown>> } {
  const lines: Array<Record<string, unknown>> = []
  const log = pino({ serializers: { err: pino.stdSerializers.err } }, { write: (line: string) => { lines.push(JSON.parse(line)) } })
  const commits = new Commits({ pool, log, traces: null, followers: [...(views ? [viewsFollower(views)] : []), loggingFollower(log)] })
  const booking = new Booking(pool, commits)
  return { booking, fallback: new FallbackSource({ pool, booking, commits, log, storeIsUp: async () => {} }), lines }
}

/** An event whose description cannot be read so many times: a batch of it and two others reads it three times before it stands alone. */
function faulty (times: number): OrderEvent {
  const event = placement(user)
  const { item_description } = event.order
  let left = times
  Object.defineProperty(event.order, 'item_description', {
    get () {
      if (left-- > 0) throw new TypeError('planted')
      return item_description
    }
  })
  return event
}

const parkedOf = async ({ event_id }: OrderEvent) => (await listParked(pool, { limit: 1000 })).filter(({ raw }) => raw.toString().includes(event_id))
const rowsOf = async (events: readonly OrderEvent[]) => (await booked(pool, events.map(({ order }) => order.order_id))).orders.length

t.test('an event over which this build fails is rejected and parked alone with its stack in the log, and its mates are booked', async (t) => {
  const { booking, lines } = openBooking()
  const [good, bad, late] = [placement(user), faulty(3), placement(user)]
  await booking.book([good, bad, late].map(takenOf), 'queue')
  t.equal(await rowsOf([good, late]), 2)
  t.match((await booked(pool, [bad.order.order_id])).events, [{ outcome: 'rejected', reason: 'defect' }])
  t.match(await parkedOf(bad), [{ reason: 'defect', source: 'queue', attempts: 1 }])
  t.match(lines.filter(({ level }) => level === 50), [{ reason: 'defect', event_id: bad.event_id, err: { type: 'TypeError', stack: /planted[^]*at / } }])
})

t.test('where not even the refusal can be recorded its bytes and the reason are parked', async (t) => {
  const { booking } = openBooking()
  const bad = faulty(Infinity)
  const raw = Buffer.from(`{"id":"${bad.event_id}"}`)
  await booking.book([takenOf(placement(user)), { event: bad, raw: () => raw }], 'queue')
  t.match((await parkedOf(bad)).map(({ raw, reason }) => [raw.toString(), reason]), [[raw.toString(), 'defect']])
})

t.test('what cannot be unpacked into the fallback table is parked, its mates are unpacked', async (t) => {
  const { booking } = openBooking()
  const [good, bad] = [placement(user), faulty(Infinity)]
  await booking.unpack([takenOf(good), { event: bad, raw: () => Buffer.from(bad.event_id) }])
  t.equal((await pool.query('select from fallback_queue where event_id = $1', [good.event_id])).rowCount, 1)
  t.equal((await parkedOf(bad)).length, 1)
  await pool.query('delete from fallback_queue')
})

t.test('a defect in what follows a commit makes no booked event a rejected one', async (t) => {
  const { booking, lines } = openBooking({ put: async () => true, mark: async () => { throw new TypeError('planted') } })
  const event = placement(user)
  await booking.book([takenOf(event)], 'queue')
  t.match((await booked(pool, [event.order.order_id])).events, [{ outcome: 'applied' }])
  t.strictSame(await parkedOf(event), [])
  t.match(lines.filter(({ level }) => level === 50), [{ reason: 'defect', err: { stack: /planted/ } }])
})

t.test('headers and texts that Postgres stores nowhere keep no bytes from being parked', async (t) => {
  const { booking } = openBooking()
  const parked = (raw: string, headers: Record<string, unknown>) => ({ source: 'queue' as const, reason: 'a\0b', attempts: 1, headers, raw: Buffer.from(raw) })
  await booking.park([parked('nul', { note: 'a\0b', '\0': '\ud800 \\u0000' }), parked('big', { count: 2n ** 70n }), parked('good', { note: 'é' })])
  const rows = new Map((await listParked(pool, { limit: 1000 })).map((row) => [row.raw.toString(), row]))
  t.match(rows.get('nul'), { reason: 'a\ufffdb', headers: { note: 'a\ufffdb', '\ufffd': '\ufffd \\u0000' } })
  t.match(rows.get('good'), { headers: { note: 'é' } })
  t.strictSame(rows.get('big')!.headers, {}, 'it cannot be written as JSON at all')
})

t.test('an event that waits and can never be applied is rejected, and keeps no other order waiting', async (t) => {
  const { booking, fallback } = openBooking()
  const [first, other] = [placement(user), placement(user)]
  const [bad, good] = [amendment(first), amendment(other)]
  await booking.book([bad, good].map(takenOf), 'queue')
  await pool.query("update order_events set data = jsonb_set(data, '{item_quantity}', '0') where event_id = $1", [bad.event_id])
  // As two workers leave it that book the base and the change at the same moment: neither saw the other.
  for (const event of [first, other]) {
    await pool.query('update order_events set order_id = gen_random_uuid() where order_id = $1', [event.order.order_id])
    await booking.book([takenOf(event)], 'queue')
  }
  for (const [event, placed] of [[bad, first], [good, other]] as const) await pool.query('update order_events set order_id = $2 where event_id = $1', [event.event_id, placed.order.order_id])
  await fallback.drainOnce()
  t.match((await booked(pool, [other.order.order_id])).events, [{ outcome: 'applied' }, { outcome: 'applied' }])
  t.match((await booked(pool, [first.order.order_id])).events, [{ outcome: 'applied' }, { outcome: 'rejected', reason: 'not_storable' }])
  t.equal((await parkedOf(bad)).length, 1)
})

t.test('a TypeError planted for one event of three ends neither a worker nor its batch, on both paths', needs('rabbitmq'), async (t) => {
  const build = plantBugs(t, 'orders/order.js', [/function orderJson\(order\) \{/, "function orderJson(order) { if (order.item_description === 'planted') throw new TypeError('planted'); "])
  const three = () => [placement(user), placement(user), placement(user)].map((event, index) => index === 1 ? { ...event, order: { ...event.order, item_description: 'planted' } } : event)
  const [queued, fallen] = [three(), three()]
  const worker = await startWorker(t, place) // declares the topology
  await worker.close()
  await publishRaw(await openChannel(t, place.env.AMQP_URL!), encodeMessage(queued.map(serializeEvent)).content, EVENT_BATCH)
  await enqueueFallback(pool, fallen)
  const once = runBuilt(t, resolve(build, 'cli.js'), ['worker', '--once'], place.env)
  t.equal(await once.exited, 0)
  t.equal(await rowsOf([...queued, ...fallen]), 4)
  for (const [bad, source] of [[queued[1]!, 'queue'], [fallen[1]!, 'fallback']] as const) t.match(await parkedOf(bad), [{ reason: 'defect', source }])
  t.match(linesOf(once.output).filter(({ level }) => level === 'error').map(({ err, reason }) => [reason, (err as { stack: string }).stack]), [['defect', /planted[^]*orderJson/], ['defect', /planted[^]*orderJson/]])
  await eventually('the fallback table is empty', async () => (await pool.query('select from fallback_queue')).rowCount === 0)
})
