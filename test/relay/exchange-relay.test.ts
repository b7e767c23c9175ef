import { once } from 'node:events'
import type { ConsumeMessage } from 'amqplib'
import t, { type Test } from 'tap'
import { cloudEventOf } from '../../src/feed/cloud-event.js'
import type { OrderEvent } from '../../src/orders/event.js'
import { ExchangeRelay } from '../../src/relay/exchange-relay.js'
import { inTransaction } from '../../src/store/database.js'
import { readFeed } from '../../src/store/feed.js'
import { cursorStatus, leaseCursor, moveCursor, releaseCursor, rewindCursor } from '../../src/store/feed-cursors.js'
import { applyBatch } from '../../src/worker/batch.js'
import { startRelay } from '../support/apps.js'
import { amendment, insertPerson, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace, openPool } from '../support/place.js'
import { listenToExchange } from '../support/told.js'

const place = await openPlace(t)
const pool = openPool(t, place)
const user = await insertPerson(pool)
const book = async (...events: OrderEvent[]) => { await inTransaction(pool, async (client) => await applyBatch(client, events)) }
const status = async () => (await cursorStatus(pool))[0]!
const told = async () => await eventually('all is told', async () => (await status()).lag === 0)

const listen = async (t: Test, key?: string) => await listenToExchange(t, place, key)
const idOf = ({ properties }: ConsumeMessage) => properties.messageId as string
const bodyOf = (message: ConsumeMessage) => JSON.parse(message.content.toString()) as { sequence: string }

t.test('a cursor is one holder\'s until its lease runs out, and a former holder moves it no more', async (t) => {
  const lease = async (holder: string, leaseMs: number) => await leaseCursor(pool, { name: 'exchange', holder, leaseMs })
  const move = async (holder: string, from: number, to: number) => await moveCursor(pool, { name: 'exchange', holder, from, to, leaseMs: 60_000 })
  t.equal(await lease('a', 60_000), 0)
  t.equal(await lease('b', 60_000), null)
  t.equal(await lease('a', 1), 0, 'its own it prolongs')
  await eventually('it runs out', async () => (await status()).holder === null)
  t.equal(await move('a', 0, 0), true, 'late, and still alone')
  await lease('a', 1)
  await eventually('it runs out', async () => (await status()).holder === null)
  t.equal(await lease('b', 60_000), 0)
  t.equal((await status()).holder, 'b')
  t.equal(await move('a', 0, 1), false)
  t.equal(await move('b', 7, 8), false, 'from where it is not')
  t.equal(await move('b', 0, 0), true)
  await releaseCursor(pool, 'exchange', 'a')
  t.equal((await status()).holder, 'b', 'another\'s release is none')
  await releaseCursor(pool, 'exchange', 'b')
  t.equal((await status()).holder, null)
})

t.test('what happens is told to whoever bound a queue, as CloudEvents, in order, by kinds', needs('rabbitmq'), async (t) => {
  const [all, amended] = [await listen(t), await listen(t, 'order.amended')]
  const relay = await startRelay(t, place)
  const first = placement(user)
  await book(first, placement(user), amendment(first))
  await told()
  await eventually('all came', () => all.length === 3 && amended.length === 1)
  const feed = (await readFeed(pool, { after: 0, limit: 10 })).events
  t.strictSame(all.map(bodyOf), feed.map(cloudEventOf).map((event) => JSON.parse(JSON.stringify(event)) as object))
  t.strictSame(all.map(idOf), feed.map(({ event_id }) => event_id))
  t.match(all[0], { fields: { routingKey: 'order.confirmed', exchange: 'comanda.events' }, properties: { contentType: 'application/cloudevents+json', deliveryMode: 2, type: 'comanda.order.confirmed', appId: 'comanda' } })
  t.match(await relay.inject('/readyz').then((answer) => answer.json()), { status: 'ready', services: { postgres: { state: 'up' }, rabbitmq: { state: 'up' } }, progress: { stuck: false } })
  t.match(relay.lines.filter(({ event, cursor }) => event === 'relay_leading' && cursor === 'exchange'), [{ position: 0 }])
  const text = (await relay.inject('/metrics')).body
  t.match(text, /comanda_relay_lag_events\{cursor="exchange"\} 0/)
  t.match(text, /comanda_relay_events_told_total\{cursor="exchange"\} 3/)
  t.match(text, /comanda_relay_lease\{cursor="exchange"\} 1/)
  await relay.close()
  t.equal((await status()).holder, null, 'it left the lease to others')
})

t.test('thousands are told whole and in order, each once', needs('rabbitmq'), async (t) => {
  const messages = await listen(t)
  const before = (await status()).position
  const events = Array.from({ length: 3000 }, () => placement(user))
  for (let index = 0; index < events.length; index += 500) await book(...events.slice(index, index + 500))
  await startRelay(t, place)
  await told()
  await eventually('all came', () => messages.length >= 3000)
  const sequences = messages.map((message) => bodyOf(message).sequence)
  t.strictSame(sequences, [...sequences].sort())
  t.strictSame(messages.map(idOf).sort(), events.map(({ event_id }) => event_id).sort())
  t.ok((await status()).position > before)
})

t.test('of two relays one tells; when it goes the other goes on, and nothing is missing', needs('rabbitmq'), async (t) => {
  const messages = await listen(t)
  const relays = [await startRelay(t, place), await startRelay(t, place)]
  const leads = (relay: typeof relays[number]) => relay.lines.some(({ event }) => event === 'relay_leading')
  await eventually('one leads', () => relays.some(leads))
  const events = Array.from({ length: 20 }, () => placement(user))
  await book(...events.slice(0, 10))
  await told()
  t.equal(relays.filter(leads).length, 1)
  const [leader, standby] = leads(relays[0]!) ? relays : relays.reverse()
  t.match((await standby!.inject('/readyz')).json(), { status: 'ready' }, 'to stand by is its work')
  await leader!.close()
  await book(...events.slice(10))
  await told()
  t.ok(leads(standby!))
  await eventually('all came', () => messages.length >= 20)
  t.strictSame([...new Set(messages.map(idOf))].sort(), events.map(({ event_id }) => event_id).sort())
})

t.test('a cursor that is rewound is told again from there, by the relay that runs', needs('rabbitmq'), async (t) => {
  await startRelay(t, place)
  await told()
  const messages = await listen(t)
  const { events, end } = await readFeed(pool, { after: 0, limit: 5 })
  const from = events[1]!.position
  t.equal(await rewindCursor(pool, 'exchange', from), end)
  await told()
  await eventually('it is told', () => messages.length > 0 && idOf(messages.at(-1)!) !== '' && Number(bodyOf(messages.at(-1)!).sequence) === end)
  t.equal(Number(bodyOf(messages[0]!).sequence), events[2]!.position)
})

t.test('without a broker a relay runs, is ready, and has no exchange to tell', async (t) => {
  const relay = await startRelay(t, place, { AMQP_URL: '' })
  t.match((await relay.inject('/readyz')).json(), { status: 'ready', services: { rabbitmq: { state: 'off' } } })
  await eventually('nothing is left to tell', async () => await relay.untold() === 0)
  t.notMatch((await relay.inject('/metrics')).body, /comanda_relay_lease\{cursor="exchange"\}/)
})

/** A relay over the real tables and a broker that this test is. */
function ownRelay (t: Test, publish: (ids: string[]) => Promise<void>): { relay: ExchangeRelay, lines: string[] } {
  const lines: string[] = []
  const log = Object.fromEntries(['debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, ({ event }: { event: string }) => lines.push(event)])) as never
  let giveUp = () => {}
  const relay = new ExchangeRelay({
    pool,
    holder: 'own',
    log,
    leaseMs: 300,
    storeIsUp: async () => {},
    publisher: {
      open: true,
      abandon: () => giveUp(),
      publish: async (messages) => await Promise.race([publish(messages.map(({ messageId }) => messageId)), new Promise<never>((_resolve, reject) => { giveUp = () => reject(new Error('given up')) })])
    }
  })
  t.teardown(async () => await relay.stop())
  relay.start()
  return { relay, lines }
}

t.test('a window that is not confirmed is told again, from its beginning', async (t) => {
  const attempts: string[][] = []
  const events = [placement(user), placement(user)]
  await book(...events)
  const { relay, lines } = ownRelay(t, async (ids) => {
    attempts.push(ids)
    if (attempts.length === 1) throw new Error('lost')
  })
  await told()
  const ids = (await readFeed(pool, { after: 0, limit: 100_000 })).events.slice(-2).map(({ event_id }) => event_id)
  t.strictSame(attempts, [ids, ids])
  t.equal(relay.leadership.retried, 1)
  t.strictSame(lines.filter((event) => event === 'relay_retried'), ['relay_retried'])
})

t.test('the next window is published while one waits for its confirms, a third is not, and the cursor moves behind each in turn', async (t) => {
  const before = (await status()).position
  for (let window = 0; window < 3; window++) await book(...Array.from({ length: 500 }, () => placement(user)))
  const positions = (await readFeed(pool, { after: before, limit: 1500 })).events.map(({ position }) => position)
  const confirms: Array<() => void> = []
  ownRelay(t, async () => { await new Promise<void>((resolve) => confirms.push(resolve)) })
  await eventually('two are under way', () => confirms.length === 2)
  confirms[1]!()
  for (let looks = 0; looks < 20; looks++) t.strictSame([(await status()).position, confirms.length], [before, 2])
  confirms[0]!()
  await eventually('the cursor moves behind both', async () => (await status()).position === positions[999])
  await eventually('the third is published', () => confirms.length === 3)
  confirms[2]!()
  await told()
  t.equal((await status()).position, positions[1499])
})

t.test('a broker that keeps it waiting costs it no lease, and ends with a stop', async (t) => {
  const waiting = new AbortController()
  await book(placement(user))
  const { relay } = ownRelay(t, async () => {
    waiting.abort()
    await new Promise(() => {})
  })
  if (!waiting.signal.aborted) await once(waiting.signal, 'abort')
  let looks = 0
  await eventually('several leases have passed', async () => {
    t.equal((await status()).holder, 'own')
    return ++looks > 30
  })
  t.match(await relay.backlog(), { ready: 1 })
  await relay.stop()
  t.equal((await status()).holder, null)
  t.equal((await status()).lag, 1, 'it is still to be told')
})
