import t from 'tap'
import { ORDER_STATUSES, type OrderStatus } from '../../src/orders/status.js'
import { acceptedView } from '../../src/orders/view.js'
import { isUp, startApi, startWorker } from '../support/apps.js'
import { amendment, booked as bookedOf, enqueueFallback } from '../support/events.js'
import { eventually } from '../support/eventually.js'
import { amend, ask, booked, cancel, line, move, newcomer, newOperator, place as placeOrder, reads, type Shown } from '../support/people.js'
import { needs, openPlace, shutDatabase } from '../support/place.js'
import { isProblem, pointersOf } from '../support/problems.js'
import { openProxy } from '../support/proxy.js'

const place = await openPlace(t)
const api = await startApi(t, place)
const ana = await newcomer(api)
const bia = await newcomer(api)
const operator = await newOperator(api, place)
const pending = (await placeOrder(api, ana)).json<Shown>()
const eventsOf = async (id: string) => (await bookedOf(place.pool, [id])).events
/** The event that the row shows, as the store would read it. */
const lastEvent = async (id: string) => {
  const { rows: [row] } = await place.pool.query('select event_id, type, base, data as order, occurred_at, request_id from order_events where order_id = $1 and outcome = \'applied\' order by version desc limit 1', [id])
  return { ...row, occurred_at: (row.occurred_at as Date).toISOString() }
}

/** From within a test: tap ends a file whose tests are through while it still awaits at the top. */
const startBooking = async () => await startWorker(t, place)

t.test('what is pending is changed upon its view, and is booked in that order', needs('redis', 'rabbitmq'), async (t) => {
  const amended = await ask(api, ana, amend(pending.order_id, { item_quantity: 7 }))
  t.match(amended.json(), { version: 2, status: 'accepted', item_quantity: 7, total_value: 13930 })
  t.equal(amended.headers.etag, '"2a"')
  const cancelled = await ask(api, ana, cancel(pending.order_id), { 'if-match': '"2a"' })
  t.match(cancelled.json(), { version: 3, status: 'cancelled', item_quantity: 7 })
  t.strictSame(cancelled.json<{ next_statuses: string[] }>().next_statuses, [])
  t.equal(cancelled.headers.etag, '"3"')
  t.match((await ask(api, ana, ['GET', pending.order_id])).json(), { version: 3, status: 'cancelled' })
})

t.test('a worker is there from now on', async () => { await startBooking() })

t.test('what was changed while pending becomes one row and three applied events', needs('redis', 'rabbitmq'), async (t) => {
  await eventually('all three are applied', async () => (await eventsOf(pending.order_id)).filter(({ outcome }) => outcome === 'applied').length === 3)
  t.match((await bookedOf(place.pool, [pending.order_id])).orders, [{ version: 3, status: 'cancelled', item_quantity: 7 }])
})

t.test('an amendment changes what it names, and the total', async (t) => {
  const order = await booked(api, ana)
  const response = await ask(api, ana, amend(order.order_id, { item_description: 'Chá', item_price: 0 }))
  t.equal(response.statusCode, 202)
  t.match(response.json(), { order_id: order.order_id, item_description: 'Chá', item_quantity: 3, item_price: 0, total_value: 0, status: 'confirmed', version: 2, created_at: order.created_at, next_statuses: ['cancelled'] })
  t.equal(response.headers.etag, '"2"')
  t.match(await reads(api, ana, order.order_id, 'confirmed', 2), { item_description: 'Chá', item_quantity: 3, total_value: 0 })
  await eventually('the row follows', async () => (await bookedOf(place.pool, [order.order_id])).orders[0]?.version === 2)
})

t.test('an operator moves an order along its life, and everybody sees their own next moves', async (t) => {
  const { order_id: id } = await booked(api, ana)
  const steps: Array<[string, string[], string[]]> = [['paid', ['cancelled'], ['shipped', 'cancelled']], ['shipped', [], ['delivered']], ['delivered', [], []]]
  for (const [index, [status, hers, theirs]] of steps.entries()) {
    const response = await ask(api, operator, move(id, status))
    t.match([response.statusCode, response.json()], [202, { status, version: index + 2, next_statuses: theirs }])
    t.strictSame((await reads(api, ana, id, status)).next_statuses, hers, status)
  }
  await eventually('it is booked', async () => (await eventsOf(id)).length === 4)
  t.match((await bookedOf(place.pool, [id])).orders, [{ status: 'delivered', version: 4 }])
})

t.test('whatever move the table does not know is 409 with the present tag, from every status', async (t) => {
  const legal: Record<string, string[]> = { confirmed: ['paid', 'cancelled'], paid: ['shipped', 'cancelled'], shipped: ['delivered'], delivered: [], cancelled: [] }
  const paths: Record<string, string[]> = { confirmed: [], paid: ['paid'], shipped: ['paid', 'shipped'], delivered: ['paid', 'shipped', 'delivered'], cancelled: ['cancelled'] }
  for (const [from, path] of Object.entries(paths)) {
    const { order_id: id } = await booked(api, ana)
    for (const status of path) t.equal((await ask(api, operator, move(id, status))).statusCode, 202)
    for (const to of ['paid', 'shipped', 'delivered', 'cancelled']) {
      if (to === from || legal[from]!.includes(to)) continue
      const response = await ask(api, operator, move(id, to))
      isProblem(t, response, 409, 'illegal-move', `${from} -> ${to}`)
      t.equal(response.headers.etag, `"${path.length + 1}"`)
    }
    if (!['confirmed', 'paid', 'cancelled'].includes(from)) isProblem(t, await ask(api, ana, cancel(id)), 409, 'illegal-move', `${from}, cancelled by its owner`)
    if (from !== 'confirmed') isProblem(t, await ask(api, ana, amend(id, { item_quantity: 50 })), 409, 'not-amendable', `${from}, amended`)
  }
})

t.test('no caller asks for a status that only the service gives', async (t) => {
  const { order_id: id } = await booked(api, ana)
  for (const status of [...ORDER_STATUSES.filter((one: OrderStatus) => ['accepted', 'confirmed', 'rejected'].includes(one)), 'lost', '', 5, null]) {
    t.strictSame(pointersOf(isProblem(t, await ask(api, operator, ['PUT', `${id}/status`, { status }]), 400, 'validation-failed', String(status))), ['#/status'])
  }
})

t.test('nobody changes what is not theirs', async (t) => {
  const { order_id: id } = await booked(api, ana)
  isProblem(t, await ask(api, bia, amend(id, { item_quantity: 9 })), 404, 'order-not-found')
  isProblem(t, await ask(api, bia, cancel(id)), 404, 'order-not-found')
  for (const person of [ana, bia]) isProblem(t, await ask(api, person, move(id, 'cancelled')), 403, 'forbidden')
  isProblem(t, await ask(api, operator, amend(id, { item_quantity: 9 })), 403, 'not-owner')
  t.match(await reads(api, ana, id, 'confirmed'), { version: 1, item_quantity: 3 })
  t.equal((await ask(api, operator, cancel(id))).statusCode, 202, 'an operator may cancel')
})

t.test('repeating a change is safe: it answers with what is and publishes nothing', async (t) => {
  const { order_id: id } = await booked(api, ana)
  const requests: Array<[typeof ana, Parameters<typeof ask>[2]]> = [[ana, amend(id, { item_quantity: 4 })], [operator, move(id, 'paid')], [ana, cancel(id)]]
  for (const [index, [person, asked]] of requests.entries()) {
    const first = await ask(api, person, asked, { 'if-match': `"${index + 1}"` })
    t.equal(first.statusCode, 202)
    const again = await ask(api, person, asked, { 'if-match': `"${index + 1}"` })
    t.strictSame([again.statusCode, again.json(), again.headers.etag], [202, first.json(), first.headers.etag])
  }
  t.equal((await ask(api, operator, move(id, 'cancelled'))).json<Shown>().version, 4)
  await reads(api, ana, id, 'cancelled', 4)
  await eventually('all is booked', async () => (await eventsOf(id)).length >= 4)
  t.equal((await eventsOf(id)).length, 4)
})

t.test('If-Match lets a change through only upon the version it names', async (t) => {
  const { order_id: id } = await booked(api, ana)
  await ask(api, ana, amend(id, { item_quantity: 4 }))
  for (const header of ['"1"', '"1a"', 'W/"1"', '"2-x"', '"3"', '"x"', '"1", "22"', '""']) {
    const response = await ask(api, ana, amend(id, { item_quantity: 5 }), { 'if-match': header })
    isProblem(t, response, 412, 'stale', header)
    t.equal(response.headers.etag, '"2"')
  }
  isProblem(t, await ask(api, ana, cancel(id), { 'if-match': '"1"' }), 412, 'stale')
  isProblem(t, await ask(api, operator, move(id, 'paid'), { 'if-match': '"1"' }), 412, 'stale')
  for (const header of ['2', '"2', 'W/2', '*, "2"', '', `"${'x'.repeat(1000)}"`]) {
    t.strictSame(pointersOf(isProblem(t, await ask(api, ana, amend(id, { item_quantity: 5 }), { 'if-match': header }), 400, 'validation-failed', header)), ['headers#/if-match'])
  }
  for (const [index, header] of ['"2"', '"3a"', '*', '"1", "5"'].entries()) {
    t.match([(await ask(api, ana, amend(id, { item_quantity: 10 + index }), { 'if-match': header })).json()], [{ version: 3 + index }], header)
  }
})

t.test('of changes that race for one version one wins; the others are told at once, with the present tag', needs('redis'), async (t) => {
  const other = await startApi(t, place)
  const { order_id: id } = await booked(api, ana)
  const race = async (headers: Record<string, string>, from: number) => await Promise.all(Array.from({ length: 12 }, async (_, index) =>
    await ask(index % 2 ? api : other, ana, amend(id, { item_quantity: from + index }), headers)))
  const strict = await race({ 'if-match': '"1"' }, 100)
  t.equal(strict.filter(({ statusCode }) => statusCode === 202).length, 1)
  for (const response of strict) {
    if (response.statusCode === 202) continue
    isProblem(t, response, 412, 'stale')
    t.match(response.headers.etag, /^"[12]"$/)
  }
  const loose = await race({}, 200)
  const won = loose.filter(({ statusCode }) => statusCode === 202)
  t.ok(won.length >= 1)
  for (const response of loose) {
    if (response.statusCode !== 202) isProblem(t, response, 409, 'lost-race')
  }
  await eventually('all are booked', async () => (await eventsOf(id)).length === 2 + won.length)
  t.ok((await eventsOf(id)).every(({ outcome }) => outcome === 'applied'), 'and none was rejected')
})

t.test('without Redis the chain decides, and whoever lost shows as rejected', async (t) => {
  const alone = await startApi(t, place, { REDIS_URL: '' })
  const { order_id: id } = await booked(api, ana)
  const responses = await Promise.all(Array.from({ length: 6 }, async (_, index) => await ask(alone, ana, amend(id, { item_quantity: 100 + index }), { 'if-match': '"1"', 'x-request-id': `race-${index}` })))
  const taken = responses.filter(({ statusCode }) => statusCode === 202).length
  t.ok(taken >= 1)
  await eventually('all are recorded', async () => (await eventsOf(id)).length === 1 + taken)
  const recorded = await eventsOf(id)
  t.equal(recorded.filter(({ outcome }) => outcome === 'applied').length, 2)
  t.ok(recorded.filter(({ outcome }) => outcome === 'rejected').every(({ reason }) => reason === 'superseded'))
  t.equal((await bookedOf(place.pool, [id])).orders[0]?.version, 2)
})

t.test('an If-Match above what is known is answered 503 while a version may be hidden, else 412', needs('redis', 'rabbitmq'), async (t) => {
  const { order_id: id } = await booked(api, ana)
  const alone = await startApi(t, place, { REDIS_URL: '' })
  const hidden = await ask(alone, ana, amend(id, { item_quantity: 9 }), { 'if-match': '"2"' })
  isProblem(t, hidden, 503, 'version-not-visible-yet')
  t.equal(hidden.headers['retry-after'], '1')
  isProblem(t, await ask(api, ana, amend(id, { item_quantity: 9 }), { 'if-match': '"2"' }), 412, 'stale')
})

t.test('after Redis was out of sight a version may be hidden above an older order, not above one that was changed since', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const own = await startApi(t, place, { REDIS_URL: proxy.url })
  const [{ order_id: older }, { order_id: changed }] = [await booked(own, ana), await booked(own, ana)]
  const ahead = async (id: string, version: string) => await ask(own, ana, amend(id, { item_quantity: 9 }), { 'if-match': version })
  proxy.mode = 'refuse'
  proxy.cut()
  await eventually('the api knows', () => own.health.state('redis') === 'down')
  proxy.mode = 'pass'
  await isUp(own, 'redis')
  t.equal((await ask(own, ana, amend(changed, { item_quantity: 4 }))).statusCode, 202)
  isProblem(t, await ahead(older, '"2"'), 503, 'version-not-visible-yet')
  isProblem(t, await ahead(changed, '"3"'), 412, 'stale', 'the api made the version before it')
})

t.test('a view that could not be asked for may hide the version that If-Match names', needs('redis', 'rabbitmq'), async (t) => {
  const proxy = await openProxy(t, place.env.REDIS_URL!)
  const own = await startApi(t, place, { REDIS_URL: proxy.url, REDIS_TIMEOUT_MS: '50' })
  const { order_id: id } = await booked(api, ana)
  proxy.mode = 'mute'
  isProblem(t, await ask(own, ana, amend(id, { item_quantity: 9 }), { 'if-match': '"2"' }), 503, 'version-not-visible-yet')
})

t.test('a change refused for certain leaves its version free', needs('redis'), async (t) => {
  const local = await startApi(t, place, { AMQP_URL: '' })
  const { order_id: id } = await booked(local, ana)
  const open = await shutDatabase(place)
  await eventually('the api knows', () => local.health.state('postgres') === 'down')
  isProblem(t, await ask(local, ana, amend(id, { item_quantity: 9 })), 503, 'not-accepted')
  await open()
  t.match((await eventually('it is taken', async () => {
    const response = await ask(local, ana, amend(id, { item_quantity: 9 }))
    return response.statusCode !== 503 && response
  })).json(), { version: 2 })
})

t.test('a pending view of a change that was rejected meanwhile gives way to the row', needs('redis'), async (t) => {
  const { order_id: id } = await booked(api, ana)
  const first = await lastEvent(id)
  const [won, lost] = [amendment(first, 20), amendment(first, 30)]
  await enqueueFallback(place.pool, [won, lost])
  await eventually('both are decided', async () => (await eventsOf(id)).length === 3)
  const upon = amendment(lost, 40)
  await enqueueFallback(place.pool, [upon])
  await eventually('it is rejected', async () => (await eventsOf(id)).length === 4)
  // As if Redis had come back with old data, or an api had dated it whose clock is ahead.
  for (const awayMs of [-60_000, 3_600_000]) {
    const updated_at = new Date(Date.now() + awayMs).toISOString()
    await place.redis!.del(`${place.redisPrefix}order:${id}`)
    await api.views!.put([{ view: acceptedView({ ...upon, occurred_at: updated_at, order: { ...upon.order, updated_at } }) }])
    t.match((await ask(api, ana, ['GET', id])).json(), { version: 2, item_quantity: 20 })
    t.match((await place.redis!.get(`${place.redisPrefix}order:${id}`)), /^000000000005 /, 'and is gone from the cache')
  }
})

t.test('a change that can never be stored is rejected, and its view gives way to the row', needs('redis'), async (t) => {
  const { order_id: id } = await booked(api, ana)
  const change = amendment(await lastEvent(id))
  const long = { ...change, order: { ...change.order, item_description: 'x'.repeat(300) } }
  await api.views!.put([{ view: acceptedView(long) }])
  t.equal((await ask(api, ana, ['GET', id])).json<Shown>().version, 2)
  await enqueueFallback(place.pool, [long])
  await eventually('the cache holds the row', async () => (await place.redis!.get(`${place.redisPrefix}order:${id}`))?.startsWith('000000000003 '))
  t.match((await ask(api, ana, ['GET', id])).json(), { version: 1, ...line })
  t.match((await eventsOf(id)).at(-1), { outcome: 'rejected', reason: 'not_storable' })
})
