import t, { type Test } from 'tap'
import { inTransaction } from '../../src/store/database.js'
import { applyBatch } from '../../src/worker/batch.js'
import { startRelay } from '../support/apps.js'
import { insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { openPlace, openPool, TEST_DATA_KEY } from '../support/place.js'
import { runComanda } from '../support/processes.js'
import { openReceiver, type Receiver } from '../support/receiver.js'
import { insertUsersEndpoint } from '../support/webhooks.js'

const place = await openPlace(t)
const pool = openPool(t, place)
const env = { ...place.env, AMQP_URL: '' }
const [EVENTS, KILLS] = [400, 4]

const book = async (user: number, count: number) => {
  const events = Array.from({ length: count }, () => placement(user))
  for (let from = 0; from < count; from += 100) await inTransaction(pool, async (client) => await applyBatch(client, events.slice(from, from + 100)))
  return events.map(({ event_id }) => event_id)
}
const missing = ({ calls }: Receiver, ids: readonly string[]) => {
  const came = new Set(calls.map(({ event }) => event.id))
  return ids.filter((id) => !came.has(id))
}

t.test('relays that are killed in the middle lose nothing: every endpoint gets every event, repeated ones under the same id', async (t) => {
  const user = await insertPerson(pool)
  const receivers = await Promise.all(Array.from({ length: 5 }, async () => await openReceiver(t, (response) => { setTimeout(() => response.writeHead(204).end(), Math.random() * 20) })))
  for (const { url } of receivers) await insertUsersEndpoint(pool, TEST_DATA_KEY, user, url)
  const start = () => runComanda(t, ['relay'], env)
  let relays = [start(), start()]
  await Promise.all(relays.map(async (relay) => await relay.said('started')))
  const ids: string[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    ids.push(...await book(user, EVENTS / KILLS))
    const before = receivers[0]!.calls.length
    await eventually('deliveries are under way', () => receivers[0]!.calls.length > before)
    const [victim, other] = relays
    victim!.child.kill('SIGKILL')
    await victim!.exited
    relays = [other!, start()]
    await relays[1]!.said('started')
  }
  // What was under way when its relay was killed is due again at the end of its lease.
  for (const receiver of receivers) await eventually('all came', () => missing(receiver, ids).length === 0, 60_000)
  for (const { calls } of receivers) t.strictSame(calls.filter(({ event, headers }) => headers['webhook-id'] !== event.id).length, 0)
  await eventually('all is recorded', async () => (await pool.query("select from webhook_deliveries where state <> 'delivered'")).rowCount === 0, 60_000)
  t.equal((await pool.query('select from webhook_deliveries')).rowCount, 5 * ids.length, 'one delivery for each event and endpoint')
})

/** How long after its commit each event came, milliseconds. */
async function delays (receiver: Receiver): Promise<number[]> {
  const { rows } = await pool.query<{ event_id: string, ms: number }>('select event_id, extract(epoch from recorded_at)::float8 * 1000 as ms from order_events')
  const booked = new Map(rows.map(({ event_id, ms }) => [event_id, ms]))
  return receiver.calls.map(({ at, event }) => at - booked.get(event.id)!).sort((a, b) => a - b)
}

t.test('an endpoint that never answers and one that takes ten seconds delay no other', async (t: Test) => {
  await pool.query('truncate webhook_deliveries, webhooks')
  const user = await insertPerson(pool)
  const [silent, slow, fast] = [await openReceiver(t, () => {}), await openReceiver(t, (response) => { setTimeout(() => response.writeHead(204).end(), 10_000) }), await openReceiver(t)]
  for (const { url } of [silent, slow, fast]) await insertUsersEndpoint(pool, TEST_DATA_KEY, user, url)
  const relay = await startRelay(t, place, { AMQP_URL: '' })
  await eventually('it leads: the lease of a relay that was killed is over', () => relay.lines.some(({ event, cursor }) => event === 'relay_leading' && cursor === 'webhooks'))
  const ids: string[] = []
  const begun = performance.now()
  for (let part = 1; part <= 50; part++) { // 200 events a second
    ids.push(...await book(user, 20))
    await eventually('the next are due', () => performance.now() > begun + part * 100)
  }
  await eventually('all came to the fast one', () => missing(fast, ids).length === 0)
  const all = await delays(fast)
  t.comment(`p50 ${all[Math.floor(all.length / 2)]} ms, p99 ${all[Math.floor(all.length * 0.99)]} ms`)
  t.ok(all[Math.floor(all.length * 0.99)]! < limitOf(300))
  t.ok(silent.calls.length >= 8 && silent.calls.length <= 16, `${silent.calls.length} calls of the one that never answers`)
  t.ok(slow.calls.length >= 8 && slow.calls.length <= 16)
})
