import pg from 'pg'
import t from 'tap'
import type { OrderEvent } from '../../src/orders/event.js'
import { startWorker } from '../support/apps.js'
import { enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

const place = await openPlace(t)
const user = await insertPerson(place.pool)
const alone = { AMQP_URL: '', REDIS_URL: '' }
const rowsOf = async (events: OrderEvent[]) => (await place.pool.query('select from orders where order_id = any($1)', [events.map(({ order }) => order.order_id)])).rowCount
const left = async () => (await place.pool.query('select from fallback_queue')).rowCount

async function openClient (): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: place.env.DATABASE_URL })
  await client.connect()
  t.teardown(async () => await client.end())
  return client
}

t.test('an event that is committed to the fallback queue after later ones is not skipped', async (t) => {
  await startWorker(t, place, alone)
  const [early, late] = [placement(user), placement(user)]
  const slow = await openClient()
  await slow.query('begin')
  await enqueueFallback(slow, [early])
  await enqueueFallback(place.pool, [late])
  await eventually('the later one is booked', async () => await rowsOf([late]))
  t.equal(await rowsOf([early]), 0)
  await slow.query('commit')
  await eventually('and then the other', async () => await rowsOf([early]))
})

t.test('a worker killed while it applies the fallback queue leaves every event to the next one, which books each once', async (t) => {
  const events = Array.from({ length: 20 }, () => placement(user))
  const holder = await openClient()
  await holder.query('begin; lock table orders in access exclusive mode')
  await enqueueFallback(place.pool, events)
  const first = runComanda(t, ['worker'], { ...place.env, ...alone })
  await eventually('it writes', async () => (await place.pool.query(
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into orders%'")).rowCount)
  first.child.kill('SIGKILL')
  await first.exited
  await holder.query('rollback')
  t.equal(await left(), 20)
  t.equal(await runComanda(t, ['worker', '--once'], { ...place.env, ...alone }).exited, 0)
  t.strictSame([await rowsOf(events), await left()], [20, 0])
  const { rows } = await place.pool.query('select from order_events where order_id = any($1)', [events.map(({ order }) => order.order_id)])
  t.equal(rows.length, 20)
})
