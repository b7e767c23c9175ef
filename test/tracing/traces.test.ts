import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import t, { type Test } from 'tap'
import { serializeEvent, type SerializedEvent } from '../../src/orders/envelope.js'
import { currentSpan, traceOfLine } from '../../src/tracing/current.js'
import { tracePublishing, traceStatements } from '../../src/tracing/traced.js'
import { Traces } from '../../src/tracing/traces.js'
import { placement } from '../support/events.js'
import { openPlace } from '../support/place.js'

const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const traceparent = `00-${parent.traceId}-${parent.spanId}-01`

/** What is traced by these goes into `ended`. */
function start (t: Test) {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  t.teardown(async () => await provider.shutdown())
  const tracer = provider.getTracer('test')
  const ended = () => exporter.getFinishedSpans()
  return { traces: new Traces(tracer, async () => {}), ended, names: () => ended().map(({ name }) => name), during: <T>(work: () => T) => currentSpan.run(tracer.startSpan('around', {}, ROOT_CONTEXT), work) }
}

t.test('a batch that fails marks its own span and those of its events, by a code and never by a message', async (t) => {
  const { traces, ended } = start(t)
  const failure = Object.assign(new Error('a value somebody typed'), { code: '23505' })
  await t.rejects(traces.batch('queue', [{ event_id: 'a', traceparent }], async () => { throw failure }), failure)
  t.strictSame(ended().map(({ name }) => name), ['book batch', 'process order event'])
  for (const { status, attributes, events } of ended()) {
    t.strictSame(status, { code: SpanStatusCode.ERROR })
    t.equal(attributes['error.type'], '23505')
    t.strictSame(events, [])
  }
})

t.test('a batch of events that nobody traced begins a trace of its own; what is no trace context counts as none', async (t) => {
  const { traces, ended } = start(t)
  const nothing = ['00-00000000000000000000000000000000-b7ad6b7169203331-01', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x', null, undefined]
  await traces.batch('queue', nothing.map((traceparent, index) => ({ event_id: String(index), traceparent })), async () => {})
  t.strictSame(ended().map(({ name, parentSpanContext, links }) => [name, parentSpanContext, links]), [['book batch', undefined, []]])
})

t.test('work outside of every span is done and not traced, and so is work of a span that is over', async (t) => {
  const { traces, names } = start(t)
  t.equal(await traces.inside('lonely', 'CLIENT', {}, async (span) => span), null)
  let late: Promise<unknown> | undefined
  await traces.batch('queue', [], async () => {
    late = new Promise((resolve) => setImmediate(() => resolve(traces.inside('late', 'CLIENT', {}, async () => {}))))
  })
  await late
  t.strictSame(names(), ['book batch'])
})

t.test('a log line names the trace it is written in, and none outside', async (t) => {
  const { traces } = start(t)
  await traces.batch('queue', [{ event_id: 'a', traceparent }], async () => { t.strictSame(traceOfLine(), { trace_id: parent.traceId }) })
  t.strictSame(traceOfLine(), {})
})

t.test('the traceparent of a request tells its own span and whether it is sampled', async (t) => {
  const { traces } = start(t)
  for (const flags of ['00', '01']) {
    const span = traces.request('GET', '/x', '/x', `00-${parent.traceId}-${parent.spanId}-${flags}`)
    t.equal(traces.traceparentOf(span), `00-${parent.traceId}-${span.spanContext().spanId}-${flags}`)
    t.not(span.spanContext().spanId, parent.spanId)
  }
})

t.test('statements of a pool, of its clients, and those that fail: each is one span', async (t) => {
  const { pool } = await openPlace(t)
  const { traces, ended, names, during } = start(t)
  traceStatements(traces, pool)
  await during(async () => {
    t.match(await pool.query({ name: 'one', text: 'select $1::integer as n', values: [1] }), { rows: [{ n: 1 }] })
    for (let round = 0; round < 2; round++) {
      const client = await pool.connect()
      t.match(await client.query('select 2 as n'), { rows: [{ n: 2 }] })
      client.release()
    }
    await t.rejects(pool.query('select 1/0'), { code: '22012' })
  })
  t.strictSame(names(), ['one', 'select 2 as n', 'select 2 as n', 'select 1/0'])
  t.match(ended()[0], { kind: SpanKind.CLIENT, attributes: { 'db.query.text': 'select $1::integer as n' } })
  t.match(ended()[3], { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': '22012' } })
})

t.test('events of one request that leave together are one span, and each keeps its own outcome', async (t) => {
  const { traces, ended, during } = start(t)
  const refused = new Error('refused')
  const intake = { take: async () => 'broker', takeAll: (_events: readonly SerializedEvent[]) => [Promise.resolve('broker'), Promise.reject(refused)] }
  tracePublishing(traces, intake)
  const events = [placement(1), placement(1)].map(serializeEvent)
  const outcomes = await during(async () => await Promise.allSettled(intake.takeAll(events)))
  t.strictSame(outcomes, [{ status: 'fulfilled', value: 'broker' }, { status: 'rejected', reason: refused }])
  t.match(ended(), [{ name: 'publish order events', kind: SpanKind.PRODUCER, attributes: { 'messaging.batch.message_count': 2 }, status: { code: SpanStatusCode.ERROR } }])
})
