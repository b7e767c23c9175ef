import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { OrderViews } from '../../src/cache/order-views.js'
import { orderJson } from '../../src/orders/order.js'
import { acceptedView, type OrderView, persistedView } from '../../src/orders/view.js'
import { Mac } from '../../src/secrets/mac.js'
import type { Proxy } from '../../testkit/proxy.js'
import { isUp, startApi, startWorker } from '../support/apps.js'
import { EVENT_KEY } from '../support/broker.js'
import { amendment, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { amend, ask, booked, newcomer, place as placeOrder, reads } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const failures: Error[] = []
const mac = new Mac([EVENT_KEY], 'order view')
const views = place.redis ? new OrderViews(place.redis, place.redisPrefix, mac, (error) => failures.push(error)) : null!
const real = needs('redis')

/** Accepted and persisted, of the placement and of one change: rising in rank. */
function fourViews (): [accepted: OrderView, persisted: OrderView, changed: OrderView, changedAndPersisted: OrderView] {
  const placed = placement(1)
  const amended = amendment(placed)
  return [acceptedView(placed), persistedView(placed), acceptedView(amended), persistedView(amended)]
}

const seen = async ({ order }: OrderView) => (await views.get(order.order_id)).view
const life = async ({ order }: OrderView) => await place.redis!.pttl(`${place.redisPrefix}order:${order.order_id}`)

t.test('a view comes back as it was put', real, async (t) => {
  for (const view of fourViews()) {
    view.order.item_description = 'Café ☕ "quoted" 123456789012 \\ \u2028'
    t.equal(await views.put([{ view }]), true)
    t.strictSame(await views.get(view.order.order_id), { view, asked: true })
  }
})

t.test('of views asked for in one turn each goes to whoever asked for it, and one that cannot be read spoils no other', real, async (t) => {
  const [first, second, unreadable] = [placement(1), placement(1), placement(1)].map((event) => acceptedView(event)) as [OrderView, OrderView, OrderView]
  await views.put([{ view: first }, { view: second }, { view: unreadable }])
  await place.redis!.set(`${place.redisPrefix}order:${unreadable.order.order_id}`, `000000000002 ${unreadable.event_id} [{}]`, 'PX', 5000)
  const before = failures.length
  const asked = [second.order.order_id, placement(1).order.order_id, unreadable.order.order_id, first.order.order_id]
  t.strictSame(await Promise.all(asked.map(async (id) => await views.get(id))), [
    { view: second, asked: true }, { view: null, asked: true }, { view: null, asked: false }, { view: first, asked: true }
  ])
  t.equal(failures.splice(before).length, 1, 'told once')
})

t.test('an order nobody put is a miss that was asked', real, async (t) => {
  t.strictSame(await views.get(placement(1).order.order_id), { view: null, asked: true })
})

t.test('a higher rank replaces', real, async (t) => {
  for (const view of fourViews()) {
    await views.put([{ view }])
    t.strictSame(await seen(view), view)
  }
})

t.test('a lower rank does not replace', real, async (t) => {
  const rising = fourViews()
  const highest = rising[3]
  await views.put([{ view: highest }])
  for (const view of rising) await views.put([{ view }])
  t.strictSame(await seen(highest), highest)
})

t.test('an equal rank does not replace, nor lengthen the life of what is there', real, async (t) => {
  const [, persisted] = fourViews()
  await views.put([{ view: persisted }])
  await place.redis!.pexpire(`${place.redisPrefix}order:${persisted.order.order_id}`, 5000)
  await views.put([{ view: { ...persisted, order: { ...persisted.order, item_description: 'other' } } }])
  t.strictSame(await seen(persisted), persisted)
  t.ok(await life(persisted) <= 5000)
})

t.test('version 10 ranks above version 9', real, async (t) => {
  const [, persisted] = fourViews()
  const version = (number: number): OrderView => ({ ...persisted, order: { ...persisted.order, version: number } })
  for (const number of [9, 10, 999, 2147483647]) {
    await views.put([{ view: version(number) }])
    t.equal((await seen(persisted))?.order.version, number)
  }
})

t.test('the view of a rejected event gives way to the row, whatever its rank', real, async (t) => {
  const [, persisted, changed] = fourViews()
  await views.put([{ view: changed }])
  await views.put([{ view: persisted, replaces: changed.event_id }])
  t.strictSame(await seen(persisted), persisted)
})

t.test('a view of another event than the rejected one does not give way', real, async (t) => {
  const [, persisted, changed] = fourViews()
  await views.put([{ view: changed }])
  await views.put([{ view: persisted, replaces: placement(1).event_id }])
  await views.put([{ view: persisted, replaces: persisted.event_id }])
  t.strictSame(await seen(persisted), changed)
})

t.test('a persisted view lives a minute at most, an unpersisted one for hours', real, async (t) => {
  const [accepted, persisted] = fourViews()
  await views.put([{ view: accepted }])
  t.ok(await life(accepted) > 3_600_000)
  await views.put([{ view: persisted }])
  const left = await life(persisted)
  t.ok(left > 0 && left <= 60_000, `${left} ms`)
})

t.test('a whole batch is a call for each kind of view, each view with its own guard and life', real, async (t) => {
  const client = place.redis!.duplicate()
  t.teardown(() => client.disconnect())
  await once(client, 'ready')
  const sent: string[] = []
  const own = new OrderViews(client, place.redisPrefix, mac, (error) => failures.push(error))
  const send = client.sendCommand.bind(client)
  client.sendCommand = (command, ...rest) => {
    sent.push(command.name)
    return send(command, ...rest) as unknown
  }
  const known = fourViews()
  await views.put([{ view: known[3] }])
  const batch = Array.from({ length: 1000 }, (_, index) => fourViews()[index % 4]!)
  t.equal(await own.put([...batch, known[0]].map((view) => ({ view }))), true)
  t.strictSame(sent.filter((name) => name !== 'eval'), ['evalsha', 'evalsha', 'evalsha'], 'first ones, later ones, persisted ones; eval where a script was not known there')
  for (const view of [batch[0]!, batch[1]!, batch[999]!]) t.strictSame(await seen(view), view)
  t.ok(await life(batch[1]!) <= 60_000 && await life(batch[0]!) > 60_000)
  t.strictSame(await seen(known[0]), known[3])
})

t.test('of two views of one order in one call the higher is kept', real, async (t) => {
  const [accepted, persisted, changed] = fourViews()
  await views.put([accepted, changed, persisted].map((view) => ({ view })))
  t.strictSame(await seen(accepted), changed)
})

t.test('nothing to put is taken without asking', async (t) => {
  const client = new Redis({ lazyConnect: true })
  t.equal(await new OrderViews(client, '', null, (error) => failures.push(error)).put([]), true)
  t.equal(client.status, 'wait')
})

t.test('a value that this build cannot read is a miss', real, async (t) => {
  const [accepted] = fourViews()
  for (const value of ['', 'rubbish', `000000000002 ${accepted.event_id} {"order_`]) {
    await place.redis!.set(`${place.redisPrefix}order:${accepted.order.order_id}`, value, 'PX', 5000)
    t.equal(await seen(accepted), null, JSON.stringify(value))
    failures.pop()
  }
})

/** What Redis holds of an order. */
const keyOf = ({ order }: OrderView) => `${place.redisPrefix}order:${order.order_id}`
const valueOf = async (view: OrderView) => (await place.redis!.get(keyOf(view)))!

t.test('what no process of ours has written for an order shows nothing, and does not keep the next view out', real, async (t) => {
  const [accepted, , changed] = fourViews()
  const [other] = fourViews()
  await views.put([{ view: accepted }, { view: other }])
  const [value, foreign] = [await valueOf(accepted), await valueOf(other)]
  const unsigned = value.replace(/^(\S+ \S+) \S+/, '$1 -')
  const strange = new OrderViews(place.redis!, `${place.redisPrefix}strange:`, new Mac(['a key of a stranger that is long enough'], 'order view'), () => {})
  await strange.put([{ view: accepted }])
  const forged = {
    'another price': value.replace('"item_price":500', '"item_price":1'),
    'another status': value.replace('"accepted"', '"paid"'),
    'a higher rank': value.replace(/^\d+/, '999999999999'),
    'the view of another order': foreign,
    unsigned,
    'signed by a stranger': (await place.redis!.get(`${place.redisPrefix}strange:order:${accepted.order.order_id}`))!
  }
  for (const [how, text] of Object.entries(forged)) {
    t.not(text, value, how)
    await place.redis!.set(keyOf(accepted), text)
    t.strictSame(await views.get(accepted.order.order_id), { view: null, asked: false }, how)
    t.ok(failures.pop(), `${how}: it is told`)
    await views.put([{ view: changed }])
    t.strictSame(await seen(changed), changed, how)
  }
})

t.test('a persisted view that is put back after its life shows nothing', real, async (t) => {
  const [, persisted] = fourViews()
  const written = (ms: number) => {
    const [head, body] = [`000000000003 ${persisted.event_id}`, `${Date.now() - ms} ${orderJson(persisted.order)}`]
    return `${head} ${mac.sign(`${head} ${body}`)} ${body}`
  }
  await place.redis!.set(keyOf(persisted), written(110_000))
  t.strictSame(await seen(persisted), persisted, 'clocks may lie apart')
  await place.redis!.set(keyOf(persisted), written(130_000))
  t.equal(await seen(persisted), null)
  t.ok(failures.pop())
})

t.test('without a key views are written and read unsigned', real, async (t) => {
  const own = new OrderViews(place.redis!, place.redisPrefix, null, (error) => failures.push(error))
  for (const view of fourViews()) {
    await own.put([{ view }])
    t.match(await valueOf(view), /^\d{12} \S{36} - \d+ [[{]/)
    t.strictSame((await own.get(view.order.order_id)).view, view)
  }
})

t.test('a placement that was booked is marked: its view is asked for again elsewhere, and lives a minute at most', real, async (t) => {
  const placed = placement(1)
  const view = acceptedView(placed)
  await views.put([{ view }])
  t.equal(await views.mark([placed]), true)
  t.strictSame(await views.get(placed.order.order_id), { view, asked: true, booked: true })
  const left = await life(view)
  t.ok(left > 0 && left <= 60_000, `${left} ms`)
  await views.put([{ view: persistedView(placed) }])
  t.strictSame(await views.get(placed.order.order_id), { view: persistedView(placed), asked: true }, 'what a reader found in the tables needs no look')
})

t.test('a placement that is booked before its view is put is marked all the same: the late view is not shown', real, async (t) => {
  const placed = placement(1)
  await views.mark([placed])
  t.ok(await life(acceptedView(placed)) <= 60_000)
  await views.put([{ view: acceptedView(placed) }])
  t.strictSame(await views.get(placed.order.order_id), { view: null, asked: true, booked: true })
  await views.put([{ view: persistedView(placed) }])
  t.strictSame(await seen(persistedView(placed)), persistedView(placed))
})

t.test('a mark leaves alone what shows a later event, or the row', real, async (t) => {
  const placed = placement(1)
  for (const later of [acceptedView(amendment(placed), acceptedView(placed)), persistedView(amendment(placed))]) {
    await views.put([{ view: later }])
    const [left] = [await life(later)]
    await views.mark([placed])
    t.strictSame(await views.get(placed.order.order_id), { view: later, asked: true })
    t.ok(await life(later) > left - 10_000)
  }
})

t.test('nothing went wrong until here', real, async (t) => {
  t.strictSame(failures.splice(0), [])
})

/** The same Redis behind a proxy, as a process sees it whose connection fails. */
async function behindProxy (t: Test): Promise<{ proxy: Proxy, own: OrderViews }> {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const client = new Redis(proxy.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 50 }).on('error', () => {})
  t.teardown(() => client.disconnect())
  await once(client, 'ready')
  return { proxy, own: new OrderViews(client, place.redisPrefix, mac, () => {}) }
}

t.test('a view that Redis did not take is put when it is back, the highest of each order', real, async (t) => {
  const { proxy, own } = await behindProxy(t)
  const [accepted, persisted, changed] = fourViews()
  proxy.mode = 'refuse'
  proxy.cut()
  for (const view of [accepted, changed, persisted]) t.equal(await own.put([{ view }]), false)
  t.equal(own.inDoubt, true, 'what is not there yet is doubted')
  proxy.mode = 'pass'
  await eventually('it is there', async () => await seen(changed) !== null)
  await eventually('there is no doubt any more', () => !own.inDoubt)
  t.strictSame(await seen(changed), changed)
})

t.test('a mark that Redis did not take becomes the persisted view once it is back', real, async (t) => {
  const { proxy, own } = await behindProxy(t)
  const placed = placement(1)
  await views.put([{ view: acceptedView(placed) }])
  proxy.mode = 'refuse'
  proxy.cut()
  t.equal(await own.mark([placed]), false)
  proxy.mode = 'pass'
  await eventually('it is there', async () => (await seen(persistedView(placed)))?.persisted)
  t.strictSame(await seen(persistedView(placed)), persistedView(placed))
})

t.test('a view that Redis did not take is found by the process that put it, over a lower one', real, async (t) => {
  const { proxy, own } = await behindProxy(t)
  const [accepted, , changed] = fourViews()
  await own.put([{ view: accepted }])
  proxy.mode = 'refuse'
  proxy.cut()
  await own.put([{ view: changed }])
  t.strictSame(await own.get(changed.order.order_id), { view: changed, asked: false })
  t.strictSame(await own.get(placement(1).order.order_id), { view: null, asked: false })
})

t.test('a put that replaces a rejected event\'s view is repeated as such', real, async (t) => {
  const { proxy, own } = await behindProxy(t)
  const [, persisted, changed] = fourViews()
  await views.put([{ view: changed }])
  proxy.mode = 'refuse'
  proxy.cut()
  await own.put([{ view: persisted, replaces: changed.event_id }])
  await own.put([{ view: persisted }])
  proxy.mode = 'pass'
  await eventually('it gave way', async () => (await seen(changed))?.persisted)
})

t.test('an emptied Redis is in doubt for a minute, an old one is not', real, async (t) => {
  const since = `${place.redisPrefix}views:since`
  t.equal(views.inDoubt, false)
  await views.get(placement(1).order.order_id)
  t.equal(views.inDoubt, false, 'it has been there for long')
  await place.redis!.del(since) // as FLUSHALL does
  const emptied = Date.now()
  t.equal(views.mayMiss(null), false)
  await views.get(placement(1).order.order_id)
  t.equal(views.inDoubt, true)
  t.strictSame([null, emptied - 1000, emptied + 1000].map((since) => views.mayMiss(since)), [true, true, false], 'what came later is there')
  t.ok(Number(await place.redis!.get(since)) > Date.now() - 60_000, 'and every other process knows')
  const { own } = await behindProxy(t)
  await place.redis!.set(since, Date.now() - 59_000)
  await own.get(placement(1).order.order_id)
  t.equal(own.inDoubt, true)
  await eventually('the minute is over', () => !own.inDoubt)
  await place.redis!.set(since, 0)
})

t.test('while it is in doubt an older view in Redis hides nothing that the tables show', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const [api, worker] = [await startApi(t, place, { REDIS_URL: proxy.url }), await startWorker(t, place, { REDIS_URL: proxy.url })]
  const person = await newcomer(api)
  const order = await booked(api, person)
  await eventually('its view is persisted', async () => (await views.get(order.order_id)).view?.persisted)
  proxy.mode = 'refuse'
  proxy.cut()
  for (const app of [api, worker]) await eventually('it knows', () => app.health.state('redis') === 'down')
  await ask(api, person, amend(order.order_id, { item_quantity: 9 }))
  await reads(api, person, order.order_id, 'confirmed', 2)
  await worker.close() // what it would repair is lost with it
  t.equal((await views.get(order.order_id)).view?.order.version, 1, 'Redis did not hear of it')
  proxy.mode = 'pass'
  await isUp(api, 'redis')
  t.match((await ask(api, person, ['GET', order.order_id])).json(), { version: 2, item_quantity: 9 })
})

t.test('a silent Redis costs the first few requests its time limit, and none after that', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const api = await startApi(t, place, { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '100' })
  const person = await newcomer(api)
  proxy.mode = 'mute'
  t.match((await ask(api, person, ['GET', randomUUID()])).json(), { type: 'urn:comanda:problem:order-not-visible-yet' }, 'a view that could not be asked for says nothing')
  for (let time = 0; time < 6; time++) t.equal((await placeOrder(api, person)).statusCode, 202)
  await eventually('it is given up', () => api.health.state('redis') === 'down')
  const started = performance.now()
  for (let time = 0; time < 5; time++) t.equal((await placeOrder(api, person)).statusCode, 202)
  const took = performance.now() - started
  t.ok(took < limitOf(400), `5 requests in ${Math.round(took)} ms, each with a limit of 100 ms before`)
  proxy.cut()
  proxy.mode = 'pass'
  await isUp(api, 'redis')
})

t.test('a Redis that stays silent, is cut off or is gone is a miss that was not asked, soon told, and comes back by itself', real, async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const app = await startApi(t, place, { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '100', AMQP_URL: '' })
  const told = () => app.lines.filter(({ event }) => event === 'view_missed').length
  const [view] = fourViews()
  const id = view.order.order_id
  t.equal(await app.views!.put([{ view }]), true)
  const misses = async (when: string) => {
    const [started, before] = [performance.now(), told()]
    t.strictSame(await Promise.all([app.views!.get(placement(1).order.order_id), app.views!.put([{ view }])]), [{ view: null, asked: false }, false], when)
    const took = performance.now() - started
    t.ok(took < limitOf(3000), `${when}: ${Math.round(took)} ms`)
    t.equal(told() - before, 2, `${when}: each failure is told`)
  }
  proxy.mode = 'mute'
  await misses('silent')
  proxy.mode = 'refuse'
  const asked = misses('cut off while it is asked')
  proxy.cut()
  await asked
  await eventually('the api noticed', () => app.health.state('redis') === 'down')
  await misses('gone')
  proxy.mode = 'pass'
  await isUp(app, 'redis')
  t.strictSame(await app.views!.get(id), { view, asked: true })
})
