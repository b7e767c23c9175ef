import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { startApi } from '../support/apps.js'
import { type Collector, openCollector, type SpanSeen } from '../support/collector.js'
import { contractFetch } from '../support/contract.js'
import { eventually } from '../support/eventually.js'
import { limitOf } from '../support/limits.js'
import { line, newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { portOf, type Process, runComanda } from '../support/processes.js'

const place = await openPlace(t)
const person = await newcomer(await startApi(t, place))
const traceTo = ({ url }: { url: string }) => ({ ...place.env, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '50' })
const given = (flags: '00' | '01') => ({ traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), flags })
type Given = ReturnType<typeof given>

async function ready (t: Test, env: Record<string, string>): Promise<{ api: Process, order: (parent?: Given, more?: Record<string, string>) => Promise<string> }> {
  const api = runComanda(t, ['api'], env)
  const ask = await contractFetch(`http://127.0.0.1:${portOf(await api.said('started'))}`)
  await eventually('every service is up', () => ['postgres_up', 'redis_up'].every((event) => api.output.some((line) => line.includes(event))))
  await eventually('it is ready', async () => (await ask('/readyz')).json().then((body) => (body as { status: string }).status === 'ready'))
  const order = async (parent?: Given, more: Record<string, string> = {}) => {
    const headers = { ...person.headers, 'content-type': 'application/json', ...more, ...(parent ? { traceparent: `00-${parent.traceId}-${parent.spanId}-${parent.flags}` } : {}) }
    const answer = await ask('/orders', { method: 'POST', body: JSON.stringify(line), headers })
    t.equal(answer.status, 202)
    return (await answer.json() as { order_id: string }).order_id
  }
  return { api, order }
}

const namesUnder = ({ spans }: Collector, { spanId }: SpanSeen) => spans.filter(({ parentSpanId }) => parentSpanId === spanId).map(({ name }) => name)
const ofTrace = ({ traceId }: { traceId: string }) => (span: SpanSeen) => span.traceId === traceId

t.test('one trace goes from whoever asked through request, publish, batch and statements to the commit', needs('redis', 'rabbitmq'), async (t) => {
  const collector = await openCollector(t)
  const { api, order } = await ready(t, traceTo(collector))
  await eventually('RabbitMQ is up', () => api.output.some((line) => line.includes('rabbitmq_up')))
  const worker = runComanda(t, ['worker'], traceTo(collector))
  const asked = given('01')
  const orderId = await order(asked)
  const mine = ofTrace(asked)

  const request = await collector.seen('POST /orders', mine)
  t.match(request, { service: 'comanda-api', parentSpanId: asked.spanId, attributes: { 'http.route': '/orders', 'http.response.status_code': 202 } })
  const publish = await collector.seen('publish order event', mine)
  t.match(publish, { service: 'comanda-api', parentSpanId: request.spanId, attributes: { 'comanda.path': 'broker', 'comanda.order_id': orderId } })
  await collector.seen('views.put', ({ parentSpanId }) => parentSpanId === request.spanId)

  const batch = await collector.seen('book batch', mine)
  t.match(batch, { service: 'comanda-worker', parentSpanId: request.spanId, attributes: { 'comanda.source': 'queue', 'messaging.batch.message_count': 1 } })
  t.match(batch.links, [{ traceId: request.traceId, spanId: request.spanId }])
  const process = await collector.seen('process order event', mine)
  t.match(process, { service: 'comanda-worker', parentSpanId: request.spanId, links: [{ spanId: batch.spanId }], attributes: { 'messaging.message.id': publish.attributes['messaging.message.id'] } })
  t.strictSame(namesUnder(collector, batch), ['book_placements', 'views.mark'])
  t.match(await collector.seen('book_placements', mine), { attributes: { 'db.system.name': 'postgresql', 'db.query.text': /insert into orders/ } })

  t.match(await eventually('its line', () => api.output.find((line) => line.includes('"route":"/orders"'))), `"trace_id":"${asked.traceId}"`)
  t.equal((await worker.said('batch_booked')).trace_id, asked.traceId)
  t.notMatch(JSON.stringify(collector.spans), line.item_description, 'what somebody typed is in no span')
  t.strictSame(collector.spans.filter((span) => !mine(span)).map(({ name }) => name), ['GET /docs/json'], 'of its own accord nothing is traced: no probe, no watch, no look into the fallback queue')
})

t.test('a batch links to every sampled order in it, and each of these to the batch; an order that is not sampled is not traced', needs('redis', 'rabbitmq'), async (t) => {
  const collector = await openCollector(t)
  const { api, order } = await ready(t, traceTo(collector))
  await eventually('RabbitMQ is up', () => api.output.some((line) => line.includes('rabbitmq_up')))
  const [unsampled, first, second] = [given('00'), given('01'), given('01')]
  for (const parent of [unsampled, first]) await order(parent)
  await order(second, { 'idempotency-key': 'x' })
  t.equal(await runComanda(t, ['worker', '--once'], traceTo(collector)).exited, 0)
  const requests = [await collector.seen('POST /orders', ofTrace(first)), await collector.seen('POST /orders', ofTrace(second))]
  const batches = collector.spans.filter(({ name }) => name === 'book batch')
  t.strictSame(batches.flatMap(({ links }) => links.map(({ spanId }) => spanId)).sort(), requests.map(({ spanId }) => spanId).sort())
  for (const { traceId, spanId } of requests) {
    const own = await collector.seen('process order event', ofTrace({ traceId }))
    const batch = batches.find(({ links }) => links.some((link) => link.spanId === spanId))!
    t.match(own.links, [{ traceId: batch.traceId, spanId: batch.spanId }])
    t.ok(namesUnder(collector, batch).includes('book_placements'))
  }
  await collector.seen('idempotency_keys.begin', ofTrace(second))
  t.strictSame(collector.spans.filter(ofTrace(unsampled)), [])
})

t.test('an order that goes by the fallback queue keeps its trace, and one without a parent begins its own; protobuf is what is sent by default', needs('redis'), async (t) => {
  const [collector, plain] = [await openCollector(t), await openCollector(t)]
  const { OTEL_EXPORTER_OTLP_PROTOCOL: _, ...byDefault } = traceTo(plain)
  const { order } = await ready(t, { ...traceTo(collector), AMQP_URL: '' })
  const orderId = await order()
  t.equal(await runComanda(t, ['worker', '--once'], { ...traceTo(collector), AMQP_URL: '' }).exited, 0)
  const request = await collector.seen('POST /orders')
  t.equal(request.parentSpanId ?? '', '')
  const publish = await collector.seen('publish order event', ofTrace(request))
  t.strictSame(namesUnder(collector, publish), ['insert_fallback'])
  t.match(publish, { attributes: { 'comanda.path': 'fallback', 'comanda.order_id': orderId } })
  const batch = await collector.seen('book batch', ofTrace(request))
  t.match(batch, { parentSpanId: request.spanId, attributes: { 'comanda.source': 'fallback' } })
  t.strictSame(namesUnder(collector, batch), ['begin', 'lock_fallback', 'insert_placements', 'record_events', 'delete_fallback', 'commit', 'views.mark'])

  await (await ready(t, { ...byDefault, AMQP_URL: '' })).order()
  const sent = await eventually('protobuf', () => plain.received.find(({ body }) => body.includes('POST /orders')))
  t.match(sent, { path: '/v1/traces', type: 'application/x-protobuf' })
})

t.test('without OTEL_* nothing of OpenTelemetry is loaded', async (t) => {
  const loaded = async (name: string, env: Record<string, string>) => {
    const run = runComanda(t, [name], { ...place.env, ...env, NODE_OPTIONS: '--import ./test/support/loaded-modules.mjs' })
    await run.said('started')
    run.child.kill('SIGTERM')
    await run.exited
    return (await run.said('loaded')).packages as string[]
  }
  const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }
  // A client of Prometheus asks the api package, itself a null object, for exemplars.
  for (const [name, env] of [['api', {}], ['worker', off]] as const) t.strictSame((await loaded(name, env)).filter((name) => name !== 'api'), [])
  t.ok((await loaded('api', traceTo({ url: 'http://127.0.0.1:1' }))).includes('sdk-trace-base'), 'it would be seen')
})

t.test('a collector that is not there harms no order, is told once, and holds nothing up at the end', async (t) => {
  const { api, order } = await ready(t, { ...traceTo({ url: 'http://127.0.0.1:1' }), OTEL_EXPORTER_OTLP_TIMEOUT: '200' })
  const told = () => api.output.filter((line) => line.includes('collector_down'))
  for (let round = 0; round < 3; round++) {
    await order()
    await api.said('collector_down')
  }
  const started = Date.now()
  api.child.kill('SIGTERM')
  t.equal(await api.exited, 0)
  t.ok(Date.now() - started < limitOf(5000))
  t.equal(told().length, 1)
  t.match(told()[0], /"level":"warn".*"reason":".*ECONNREFUSED/)
})
