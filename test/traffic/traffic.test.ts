import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Random } from '../../testkit/random.js'
import { arrivalsOf } from '../../traffic/arrivals.js'
import type { Report } from '../../traffic/report.js'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { BUILD } from '../support/build.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'
import { newOperator } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'

const LIMIT_MS = limitOf(90_000)
t.setTimeout(LIMIT_MS)
t.jobs = 3

interface Ran { code: number, printed: string, report: Report }

async function traffic (t: Test, to: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const out = freshFolder(t)
  const ran = await new Promise<{ code: number, printed: string }>((resolve) => {
    const child = execFile(process.execPath, [join(BUILD, 'traffic/main.js'), '--to', to, '--out', out, ...args], { timeout: LIMIT_MS, env: { PATH: process.env.PATH, ...env } }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, printed: stdout + stderr })
    })
  })
  t.teardown(() => { if (!t.passing()) t.comment(ran.printed) })
  return { ...ran, report: JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) }
}

/** Answers whatever a shop asks as quickly as it can. @param before what an answer waits for */
async function shopServer (t: Test, before: () => Promise<void> | undefined): Promise<string> {
  let orders = 0
  const bodies: Record<string, () => [number, object]> = {
    'POST /users': () => [201, {}],
    'POST /auth/token': () => [200, { access_token: 'a token', expires_in: 900 }],
    'POST /orders': () => [202, { order_id: String(++orders), item_description: 'tea', item_quantity: 1, item_price: 1, total_value: 1, status: 'accepted', version: 1 }]
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume()
    void Promise.resolve(before()).then(() => {
      const [status, body] = bodies[`${request.method} ${request.url}`]?.() ?? [200, {}]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { server.close().closeAllConnections() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a server that sleeps two seconds once in twenty: the stall is in p99, and the rate is kept', async (t) => {
  const [rate, seconds, asleep] = [50, 20, { from: 10_000, to: 12_000 }]
  const started = performance.now()
  const to = await shopServer(t, () => {
    const at = performance.now() - started
    return at >= asleep.from && at < asleep.to ? new Promise((resolve) => setTimeout(resolve, asleep.to - at)) : undefined
  })
  // so many repeated keys get another order here: that is wrong, and not what this is about
  const { report, code } = await traffic(t, to, ['--rate', String(rate), '--seconds', String(seconds), '--curve', 'flat', '--followers', '1'])
  const planned = [...arrivalsOf({ seed: new Random(1), rate, seconds, curve: 'flat' })].length
  t.equal(code, 1)
  t.equal(report.dropped, 0)
  t.ok(Math.abs(report.begun / planned - 1) < 0.01, `${report.begun} of ${planned} begun`)
  t.ok(report.latency.p99_ms > 1000, `p99 ${report.latency.p99_ms} ms`)
  t.ok(report.latency.p50_ms < 1000, `p50 ${report.latency.p50_ms} ms`)
  t.ok(report.over_time.slice(0, seconds).every(({ due }) => due > rate / 2), 'arrivals went on while it slept')
})

t.test('a server half as fast as the rate: arrivals are dropped, and the exit code says so', async (t) => {
  const rate = 40
  let free = 0
  const to = await shopServer(t, () => {
    free = Math.max(free, performance.now()) + 2000 / rate
    return new Promise((resolve) => setTimeout(resolve, free - performance.now()))
  })
  const { code, printed, report } = await traffic(t, to, ['--rate', String(rate), '--seconds', '8', '--curve', 'flat', '--in-flight', '40', '--failed', '100'])
  t.equal(code, 1)
  t.ok(report.dropped > 0, `${report.dropped} dropped`)
  t.equal(report.begun + report.dropped, report.arrivals)
  t.match(printed, /NOT within the bounds: .*arrivals were dropped/)
})

t.test('against the service itself every action is done, and none fails', { ...needs('redis', 'rabbitmq') }, async (t) => {
  const place = await openPlace(t)
  const api = await startApi(t, place, { LOGIN_LIMIT: '1000' })
  await startWorker(t, place)
  await startRelay(t, place)
  const to = await api.listen({ port: 0, host: '127.0.0.1' })
  const { nick_name, password } = await newOperator(api, place)
  const { code, report } = await traffic(t, to, ['--rate', '40', '--seconds', '12', '--failed', '0', '--operator', nick_name], { TRAFFIC_OPERATOR_PASSWORD: password })
  t.equal(code, 0)
  t.strictSame(report.broken, [])
  const { actions } = report
  for (const action of ['register', 'log in', 'place', 'repeat a key', 'amend', 'amend with a stale ETag', 'pay', 'ship', 'cancel', 'read', 'list', 'follow']) t.ok(actions[action]!.ok > 0, action)
  t.ok(report.events_told > 0, 'followers were told')
  const { rows } = await place.pool.query<{ status: string, n: number }>('select status, count(*)::int as n from orders group by status')
  t.equal(rows.reduce((sum, { n }) => sum + n, 0), actions.place!.ok, 'each order once')
  for (const status of ['paid', 'shipped', 'cancelled']) t.ok(rows.some((row) => row.status === status), status)
})

t.test('what cannot be run says why, with an exit code of its own', async (t) => {
  const run = async (...args: string[]) => await new Promise<{ code: number | null, stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [join(BUILD, 'traffic/main.js'), ...args], (_error, _stdout, stderr) => resolve({ code: child.exitCode, stderr }))
  })
  t.match(await run('--to', 'http://example.com'), { code: 2, stderr: /example.com is not this machine/ })
  t.match(await run('--to', 'http://127.0.0.1:1'), { code: 2, stderr: /no customer can register and log in there: ECONNREFUSED/ })
})
