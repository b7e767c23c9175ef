import t from 'tap'
import { encodeMessage } from '../../src/broker/codec.js'
import { serializeEvent } from '../../src/orders/envelope.js'
import { discardParked, replayParked } from '../../src/parking/parking-lot.js'
import { Mac } from '../../src/secrets/mac.js'
import { inTransaction } from '../../src/store/database.js'
import { listParkedActions, listParked, park, type ParkedEvent } from '../../src/store/parked-events.js'
import { commandLine } from '../../src/users/actions.js'
import { startApi, startWorker } from '../support/apps.js'
import { EVENT_KEY, signed } from '../support/broker.js'
import { amendment, booked, enqueueFallback, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'

const place = await openPlace(t)
const { pool } = place
const user = await insertPerson(pool)

const mac = new Mac([EVENT_KEY], 'order message')
const trust = { mac }
const [ana, bia] = [commandLine('ana'), commandLine('bia')]

async function parked (raw: Buffer | string, given: Partial<ParkedEvent> = {}): Promise<string> {
  const event: ParkedEvent = { source: 'dead', reason: 'dead-lettered: rejected', attempts: 1, headers: signed(raw), raw: Buffer.from(raw), ...given }
  await inTransaction(pool, async (client) => await park(client, [event]))
  return (await listParked(pool, { limit: 1000 })).find((row) => row.raw.equals(event.raw))!.id
}
const isBooked = async (ids: string[]) => await eventually('booked', async () => (await booked(pool, ids)).orders.length === ids.length)

t.test('a replayed message is booked once, however often and by however many it is replayed', async (t) => {
  const events = [placement(user), placement(user)]
  const id = await parked(encodeMessage(events.map(serializeEvent)).content)
  const settled = await Promise.all(Array.from({ length: 5 }, async () => await replayParked(pool, id.slice(0, 20), ana, trust)))
  t.strictSame(settled.map(({ before, events }) => [before, events]).sort(), [[false, 2], ...Array.from({ length: 4 }, () => [true, 0])])
  await startWorker(t, place, { AMQP_URL: '' })
  await isBooked(events.map(({ order }) => order.order_id))
  t.match(await listParkedActions(pool, id), [{ action: 'replayed', done_by: 'cli:ana' }])
  t.equal((await listParkedActions(pool, id)).length, 1)
  t.notOk((await listParked(pool, { settled: false, limit: 100 })).some((row) => row.id === id), 'it is no longer open')
})

t.test('an order that was rejected because its user was unknown is booked by a replay, and its reader sees it', needs('redis'), async (t) => {
  const [api] = [await startApi(t, place, { AMQP_URL: '' }), await startWorker(t, place, { AMQP_URL: '' })]
  const unknown = user + 1
  const first = placement(unknown)
  await enqueueFallback(pool, [first])
  const reads = async () => (await api.orderReader.find(first.order.order_id, { user_id: unknown, role: 'customer' })).order.status
  await eventually('it is rejected', async () => await reads().catch(() => '') === 'rejected')
  t.equal(await insertPerson(pool), unknown)
  const [row] = await listParked(pool, { settled: false, limit: 1 })
  await replayParked(pool, row!.id, ana, trust)
  await eventually('it reads as confirmed', async () => await reads() === 'confirmed')
  t.match((await booked(pool, [first.order.order_id])).events, [{ outcome: 'applied', reason: null }])
})

t.test('what the chain rejected stays rejected, whatever is replayed', async (t) => {
  const worker = await startWorker(t, place, { AMQP_URL: '' })
  const first = placement(user)
  const [winner, loser] = [amendment(first, 7), amendment(first, 8)]
  await enqueueFallback(pool, [first, winner, loser])
  await eventually('it is decided', async () => (await booked(pool, [first.order.order_id])).events.length === 3)
  await worker.close()
  await replayParked(pool, await parked(serializeEvent(loser).json), ana, trust)
  const outcomes = async () => (await booked(pool, [first.order.order_id])).events.map(({ outcome }) => outcome).sort()
  t.strictSame(await outcomes(), ['applied', 'applied', 'rejected'], 'nobody sees it otherwise meanwhile')
  await startWorker(t, place, { AMQP_URL: '' })
  await eventually('it went through', async () => (await pool.query('select from fallback_queue')).rowCount === 0)
  t.strictSame(await outcomes(), ['applied', 'applied', 'rejected'])
  t.match((await booked(pool, [first.order.order_id])).orders, [{ event_id: winner.event_id }])
})

t.test('what cannot be settled says why and is left as it is', async (t) => {
  const id = await parked('not an order event')
  await t.rejects(replayParked(pool, id, ana, trust), { code: 'unreadable' })
  await t.rejects(replayParked(pool, 'ffff', ana, trust), { code: 'unknown' })
  await t.rejects(replayParked(pool, '%', ana, trust), { code: 'unknown' }, 'an id is no pattern')
  await t.rejects(replayParked(pool, '', ana, trust), { code: 'ambiguous' })
  t.match((await listParked(pool, { settled: false, limit: 100 })).find((row) => row.id === id), { settlement: null })
  t.strictSame(await listParkedActions(pool, id), [])
  await discardParked(pool, id, bia)
  t.match(await discardParked(pool, id, bia), { before: true })
  await t.rejects(replayParked(pool, id, ana, trust), { code: 'settled' })
  t.match(await listParkedActions(pool, id), [{ action: 'discarded', done_by: 'cli:bia' }])
})

t.test('a discarded event that is parked again is open again, with all its attempts', async (t) => {
  const id = await parked('again', { attempts: 2 })
  await discardParked(pool, id, bia)
  await parked('again', { attempts: 3 })
  t.match((await listParked(pool, { settled: false, limit: 100 })).find((row) => row.id === id), { attempts: 5, settlement: null })
})

t.test('a message without a signature of ours is replayed only when an operator vouches for it', async (t) => {
  const other = signed('other bytes')
  for (const given of [{ source: 'queue', reason: 'forged', headers: {} }, { source: 'queue', reason: 'forged', headers: other }, { headers: {} }, { headers: other }] as const) {
    const id = await parked(serializeEvent(placement(user)).json, given)
    await t.rejects(replayParked(pool, id, ana, trust), { code: 'forged' }, JSON.stringify(given))
    t.match((await listParked(pool, { settled: false, limit: 100 })).find((row) => row.id === id), { settlement: null })
    t.match(await replayParked(pool, id, ana, { mac, unsigned: true }), { before: false, events: 1 })
  }
})

t.test('a message that was parked as forged is replayed once the right key is set', async (t) => {
  const raw = serializeEvent(placement(user)).json
  const key = 'the key that the worker did not have yet'
  const id = await parked(raw, { source: 'queue', reason: 'forged', headers: signed(raw, [key]) })
  await t.rejects(replayParked(pool, id, ana, trust), { code: 'forged' })
  await t.rejects(replayParked(pool, id, ana, { mac: null }), { code: 'forged' }, 'without a key nothing can be verified')
  t.match(await replayParked(pool, id, ana, { mac: new Mac([EVENT_KEY, key], 'order message') }), { events: 1 })
})

t.test('an event out of a message whose signature was verified needs none of its own', async (t) => {
  const id = await parked(serializeEvent(placement(user)).json, { source: 'queue', reason: 'unknown_user', headers: {} })
  t.match(await replayParked(pool, id, ana, trust), { events: 1 })
})
