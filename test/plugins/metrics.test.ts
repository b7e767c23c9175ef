import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { problems } from '../../src/http/problems.js'
import { boot, startApi } from '../support/apps.js'
import { line, newcomer, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { type Sample, samplesOf, scrape, valueOf } from '../support/scrape.js'
import { goodClaims, signToken } from '../support/tokens.js'

const place = await openPlace(t)
const alone = { AMQP_URL: '', REDIS_URL: '' }
const DURATION = 'comanda_http_request_duration_seconds'

t.test('each request is counted once, by its route, method and status', async (t) => {
  const api = await startApi(t, place, alone)
  const ana = await newcomer(api)
  for (let index = 0; index < 3; index++) t.equal((await placeOrder(api, ana)).statusCode, 202)
  t.equal((await placeOrder(api, ana, { nonsense: true })).statusCode, 400)
  for (let index = 0; index < 2; index++) await api.inject({ url: `/orders/${randomUUID()}`, headers: ana.headers })
  await api.inject({ method: 'HEAD', url: '/orders', headers: ana.headers })
  const samples = await scrape(api)
  const counted = (route: string, method: string, status: string) => valueOf(samples, `${DURATION}_count`, { route, method, status })
  t.equal(counted('/orders', 'POST', '202'), 3)
  t.equal(counted('/orders', 'POST', '400'), 1)
  t.equal(counted('/orders/:order_id', 'GET', '404'), 2)
  t.equal(counted('/orders', 'HEAD', '200'), 1)
  t.equal(counted('/orders', 'GET', '200'), undefined)
  const spent = valueOf(samples, `${DURATION}_sum`, { route: '/orders', method: 'POST', status: '202' })!
  t.ok(spent > 0 && spent < 10, `${spent} seconds`)
})

t.test('whatever meets no route is one label value; probes and scrapes are no requests', async (t) => {
  const api = await startApi(t, place, alone)
  for (const url of ['/a', '/b?c', '/orders/x/y/z']) await api.inject(url)
  await api.inject({ method: 'DELETE', url: '/orders' })
  for (const url of ['/livez', '/readyz', '/metrics', '/metrics']) await api.inject(url)
  const counts = (await scrape(api)).filter(({ name }) => name === `${DURATION}_count`)
  t.strictSame(counts.map(({ labels, value }) => [labels, value]), [
    [{ route: 'unknown', method: 'any', status: '404' }, 3],
    [{ route: 'unknown', method: 'any', status: '405' }, 1]
  ])
})

t.test('orders are counted by the path they went', needs('rabbitmq'), async (t) => {
  const accepted = async (env: Record<string, string>) => {
    const api = await startApi(t, place, env)
    const ana = await newcomer(api)
    await placeOrder(api, ana)
    await api.inject({ method: 'POST', url: '/orders/batch', headers: ana.headers, payload: [line, line] })
    const samples = await scrape(api)
    const by = (path: string) => valueOf(samples, 'comanda_order_events_accepted_total', { path, type: 'order.placed' })
    return { broker: by('broker'), fallback: by('fallback'), messages: valueOf(samples, 'comanda_publish_batch_events_count'), events: valueOf(samples, 'comanda_publish_batch_events_sum'), confirms: valueOf(samples, 'comanda_publish_confirm_seconds_count'), held: valueOf(samples, 'comanda_publisher_held_events') }
  }
  t.strictSame(await accepted({}), { broker: 3, fallback: 0, messages: 2, events: 3, confirms: 2, held: 0 })
  t.strictSame(await accepted({ AMQP_URL: '' }), { broker: 0, fallback: 3, messages: 0, events: 0, confirms: 0, held: 0 })
})

t.test('what neither path takes is counted by why, and services that are away are down', async (t) => {
  const api = await boot(t, 'api', { ...place.env, DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', REDIS_URL: 'redis://127.0.0.1:1', AMQP_URL: '' })
  const authorization = `Bearer ${signToken(place.env.JWT_SECRET!, goodClaims(1))}`
  const answer = await api.inject({ method: 'POST', url: '/orders', headers: { authorization }, payload: line })
  t.equal(answer.statusCode, 503, answer.body)
  const samples = await scrape(api)
  t.equal(valueOf(samples, 'comanda_order_events_failed_total'), 1)
  t.strictSame(samples.filter(({ name }) => name === 'comanda_service_up').map(({ labels, value }) => [labels.service, value]), [['postgres', 0], ['redis', 0]])
})

t.test('reads of the cache are counted by what they came to', needs('redis'), async (t) => {
  const api = await startApi(t, place, { AMQP_URL: '' })
  const ana = await newcomer(api)
  const { order_id } = (await placeOrder(api, ana)).json<{ order_id: string }>()
  for (const id of [order_id, randomUUID(), randomUUID()]) await api.inject({ url: `/orders/${id}`, headers: ana.headers })
  const samples = await scrape(api)
  t.equal(valueOf(samples, 'comanda_cache_reads_total', { result: 'hit' }), 1)
  t.equal(valueOf(samples, 'comanda_cache_reads_total', { result: 'miss' }), 2)
  const away = await boot(t, 'api', { ...place.env, REDIS_URL: 'redis://127.0.0.1:1', AMQP_URL: '' })
  await away.inject({ url: `/orders/${order_id}`, headers: ana.headers })
  t.equal(valueOf(await scrape(away), 'comanda_cache_reads_total', { result: 'error' }), 1)
  t.equal(valueOf(await scrape(away), 'comanda_cache_failures_total', { kind: 'view' }), 2, 'the read, and the row that should be kept from now on')
})

/** Every label that an api of ours may show, and all the values it may take. */
function allowed (routes: ReadonlySet<string>): Record<string, (value: string) => boolean> {
  const among = (...values: string[]) => (value: string) => values.includes(value)
  const statuses = new Set([200, 201, 202, 204, 207, 304, ...Object.values(problems).map(({ status }) => status)].map(String))
  return {
    route: (value) => value === 'unknown' || routes.has(value),
    method: among('any', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'),
    status: (value) => statuses.has(value),
    le: (value) => value === '+Inf' || Number.isFinite(Number(value)),
    path: among('broker', 'fallback'),
    type: among('order.placed', 'order.amended', 'order.cancelled', 'order.status_changed'),
    reason: among('not_accepted', 'outcome_unknown', 'wrong_credentials', 'too_many_requests'),
    service: among('postgres', 'redis', 'rabbitmq'),
    pool: among('requests', 'reserved'),
    result: among('hit', 'miss', 'error'),
    kind: among('view', 'change_lock', 'idempotency_key', 'limit')
  }
}

const comandas = (samples: readonly Sample[]) => samples.filter(({ name }) => name.startsWith('comanda_'))

t.test('no request adds a label value that the code does not name, and nobody is named', async (t) => {
  const api = await startApi(t, place, alone)
  const routes = new Set(Object.keys((api.swagger() as { paths: object }).paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1')))
  const ana = await newcomer(api)
  const oddly = async () => {
    const odd = randomUUID()
    await api.inject({ url: `/${odd}` })
    await api.inject({ url: `/orders/${odd}/${odd}?${odd}=${odd}`, headers: { 'x-request-id': odd, 'user-agent': odd } })
    await api.inject({ method: 'PROPFIND' as 'GET', url: `/users/${odd}` })
    await api.inject({ method: 'PUT', url: `/orders/${odd}/status`, headers: ana.headers, payload: { status: odd } })
    await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: odd, password: odd } })
    await placeOrder(api, ana, { ...line, item_description: odd }, { 'idempotency-key': odd, traceparent: odd })
  }
  await oddly()
  const first = comandas(await scrape(api))
  for (let index = 0; index < 5; index++) await oddly()
  const samples = comandas(await scrape(api))
  t.equal(samples.length, first.length, 'more of the same makes no new series')
  const closed = allowed(routes)
  for (const { name, labels } of samples) {
    for (const [label, value] of Object.entries(labels)) t.ok(closed[label]?.(value), `${name} ${label}="${value}"`)
  }
  const text = (await api.inject('/metrics')).body
  for (const personal of [ana.nick_name, ana.headers.authorization]) t.notOk(text.includes(personal))
})

t.test('a scrape is answered as Prometheus text and leaves no line in the log', async (t) => {
  const api = await startApi(t, place, alone)
  const before = api.lines.length
  const answer = await api.inject('/metrics')
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.match(answer.body, /^# HELP /)
  t.strictSame(api.lines.slice(before).filter(({ event }) => event === 'request'), [])
})

async function listen (t: Test, name: 'api' | 'worker', env: Record<string, string>): Promise<{ own: string, ops: string }> {
  const app = await boot(t, name, { ...place.env, ...alone, ...env })
  const origin = ({ port }: AddressInfo) => `http://127.0.0.1:${port}`
  await app.listen({ port: 0, host: '127.0.0.1' })
  await app.opsServer!.listen({ port: 0, host: '127.0.0.1' })
  return { own: origin(app.server.address() as AddressInfo), ops: origin(app.opsServer!.server.address() as AddressInfo) }
}

for (const name of ['api', 'worker'] as const) {
  t.test(`with OPS_PORT the ${name} serves metrics there and nowhere else`, async (t) => {
    const { own, ops } = await listen(t, name, { OPS_PORT: '0' })
    t.equal((await fetch(`${own}/metrics`)).status, 404)
    const answer = await fetch(`${ops}/metrics`)
    t.equal(answer.status, 200)
    t.ok(samplesOf(await answer.text()).some(({ name }) => name === 'comanda_service_up'))
    t.equal((await fetch(`${ops}/orders`)).status, 404, 'and nothing else there')
  })

  t.test(`with METRICS=off the ${name} measures nothing and serves none`, async (t) => {
    const app = await boot(t, name, { ...place.env, ...alone, METRICS: 'off', OPS_PORT: '0' })
    t.equal((await app.inject('/metrics')).statusCode, 404)
    t.strictSame([app.metrics, app.requestDurations, app.opsServer], [null, null, null])
  })
}
