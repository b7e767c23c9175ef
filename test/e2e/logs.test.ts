import t from 'tap'
import { lineFault } from '../support/log-lines.js'
import { needs, openPlace } from '../support/place.js'
import { linesOf, realRun } from '../support/real-run.js'

t.test('the lines of a real run', needs('redis', 'rabbitmq'), async (t) => {
  const place = await openPlace(t)
  const run = await realRun(t, place)
  const texts = [...run.api, ...run.worker]
  const [api, worker] = [linesOf(run.api), linesOf(run.worker)]
  const said = (lines: typeof api, code: string) => lines.filter(({ event }) => event === code)

  t.test('each is JSON and keeps the contract', async (t) => {
    t.equal(api.length + worker.length, texts.length)
    t.strictSame(texts.flatMap((text) => lineFault(text) ?? []), [])
  })

  t.test('a healthy run says nothing above info', async (t) => {
    const healthy = [...api.slice(0, run.healthy.api), ...worker.slice(0, run.healthy.worker)]
    t.ok(healthy.length > 60)
    t.strictSame(healthy.filter(({ level }) => level !== 'info'), [])
  })

  t.test('every event that is to be logged is logged', async (t) => {
    const both = [...api, ...worker]
    for (const code of ['listening', 'started', 'request', 'batch_booked', 'batch_continued', 'order_event_not_applied', 'fallback_taken', 'closing', 'closed']) t.ok(said(both, code).length > 0, code)
    for (const service of ['postgres', 'redis', 'rabbitmq']) {
      t.equal(said(both, `${service}_up`).length, 4, `${service}: one line a change of each process`)
      t.equal(said(both, `${service}_down`).length, 2, service)
    }
    t.match(said(worker, 'event_parked').map(({ reason, order_id }) => [reason, typeof order_id]).sort(), [[/specversion/, 'undefined'], ['unknown_user', 'string']])
  })

  t.test('nothing personal and no secret is in any of them, at any depth', async (t) => {
    const values = (value: unknown): string[] => typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, inner]) => [key, ...values(inner)]) : [String(value)]
    const text = [...api, ...worker].flatMap(values).join('\n').toLowerCase()
    for (const value of run.personal) {
      t.ok(value.length > 5)
      t.notOk(text.includes(value.toLowerCase()), value)
    }
  })

  t.test('the line at the start tells the configuration in effect', async (t) => {
    for (const [line] of [said(api, 'started'), said(worker, 'started')]) t.match(line, { config: { NODE_ENV: 'test', REDIS_TIMEOUT_MS: Number(place.env.REDIS_TIMEOUT_MS), TOKEN_SECONDS: 900, JWT_SECRET: /^\*\*\*$/, TRUST_PROXY: '127.0.0.1' } })
  })

  t.test('one request_id runs from the request to the worker\'s line, on every path', async (t) => {
    const request = (id: string) => said(api, 'request').find(({ request_id }) => request_id === id)
    t.match(request('placing'), { order_id: run.order.order_id, event_id: String, status: 202 })
    t.match(request('repeating'), { order_id: run.order.order_id, event_id: request('placing')!.event_id, replayed: true })
    t.match(request('amending'), { order_id: run.order.order_id, event_id: String, trace_id: '0af7651916cd43dd8448eb211c80319c' })
    const batches = worker.filter(({ order_ids }) => order_ids !== undefined)
    for (const id of run.requests) {
      const at = batches.flatMap(({ request_ids = [], order_ids = [] }) => request_ids.flatMap((one, index) => one === id ? [order_ids[index]] : []))
      t.strictSame(at, [run.order.order_id], id)
    }
    const [fallback] = said(api, 'fallback_taken')
    t.match(fallback, { order_id: run.byFallback.order_id, request_id: String, event_id: String, reason: String })
    t.match(batches.find(({ request_ids }) => request_ids!.includes(fallback!.request_id!)), { source: 'fallback', order_ids: [run.byFallback.order_id] })
    t.match(said(worker, 'order_event_not_applied').find(({ outcome }) => outcome === 'rejected'), { ...run.rival, request_id: 'test', reason: String })
  })

  t.test('a request for many orders names every one, and so do the batches', async (t) => {
    const named = (lines: typeof api) => new Set(lines.flatMap(({ order_ids = [] }) => order_ids))
    for (const names of [named(api), named(worker)]) t.strictSame(run.batch.filter((id) => !names.has(id)), [])
  })

  t.test('every answer is one line, probes none', async (t) => {
    t.strictSame(said(api, 'request').filter(({ status }) => Number(status) >= 400).map(({ reason }) => reason).filter((reason) => typeof reason !== 'string'), [])
    t.strictSame(api.filter(({ route }) => /livez|readyz/.test(String(route))), [])
  })
})
