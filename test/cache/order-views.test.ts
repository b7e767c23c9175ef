import { once } from 'node:events'
import { Redis } from 'ioredis'
import t from 'tap'
import { OrderViews } from '../../src/cache/order-views.js'
import { acceptedView, type OrderView, persistedView } from '../../src/orders/view.js'
import { isUp, startApi } from '../support/apps.js'
import { amendment, placement } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const failures: Error[] = []
const views = place.redis ? new OrderViews(place.redis, place.redisPrefix, (error) => failures.push(error)) : null!
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

t.test('a whole batch is one call, each view with its own guard and life', real, async (t) => {
  const client = place.redis!.duplicate()
  t.teardown(() => client.disconnect())
  await once(client, 'ready')
  const sent: string[] = []
  const own = new OrderViews(client, place.redisPrefix, (error) => failures.push(error))
  const send = client.sendCommand.bind(client)
  client.sendCommand = (command, ...rest) => {
    sent.push(command.name)
    return send(command, ...rest) as unknown
  }
  const known = fourViews()
  await views.put([{ view: known[3] }])
  const batch = Array.from({ length: 1000 }, (_, index) => fourViews()[index % 4]!)
  t.equal(await own.put([...batch, known[0]].map((view) => ({ view }))), true)
  const calls = sent.filter((name) => name.startsWith('eval'))
  t.ok(calls.length <= 2 && calls.length === sent.length, sent.join(' ')) // the second when the script was not known there
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
  t.equal(await new OrderViews(client, '', (error) => failures.push(error)).put([]), true)
  t.equal(client.status, 'wait')
})

t.test('a value that this build cannot read is a miss', real, async (t) => {
  const [accepted] = fourViews()
  for (const value of ['', 'rubbish', `000000000002 ${accepted.event_id} {"order_`]) {
    await place.redis!.set(`${place.redisPrefix}order:${accepted.order.order_id}`, value, 'PX', 5000)
    t.equal(await seen(accepted), null, JSON.stringify(value))
  }
})

t.test('nothing went wrong until here', real, async (t) => {
  t.strictSame(failures.splice(0).filter(({ name }) => name !== 'SyntaxError'), [])
})

t.test('a Redis that stays silent, is cut off or is gone is a miss that was not asked, soon told, and comes back by itself', real, async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const app = await startApi(t, place, { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '100', AMQP_URL: '' })
  const told = () => app.lines.filter(({ msg }) => msg === 'a view was not read or written').length
  const [view] = fourViews()
  const id = view.order.order_id
  t.equal(await app.views!.put([{ view }]), true)
  const misses = async (when: string) => {
    const [started, before] = [performance.now(), told()]
    t.strictSame(await Promise.all([app.views!.get(id), app.views!.put([{ view }])]), [{ view: null, asked: false }, false], when)
    const took = performance.now() - started
    t.ok(took < 2000, `${when}: ${Math.round(took)} ms`)
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
