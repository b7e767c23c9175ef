import t from 'tap'
import { readOptions } from '../../traffic/options.js'
import type { Judged } from '../../traffic/outcome.js'
import { writePage } from '../../traffic/page.js'
import { reportOf } from '../../traffic/report.js'
import { Tally } from '../../traffic/tally.js'

const OK: Judged = { outcome: 'ok', why: '' }
const loop = { max_ms: 3, p99_ms: 1 }

function reported (tally: Tally, ...args: string[]) {
  return reportOf(readOptions(args, {})!, { tally, seconds: 10, told: 4, loop })
}

/** A hundred reads that took 1, 2, ... 100 ms. */
function hundred (): Tally {
  const tally = new Tally()
  for (let ms = 1; ms <= 100; ms++) {
    tally.begin(0.5)
    tally.end('read', OK, ms)
  }
  return tally
}

t.test('latencies are those of the histogram, of all and of each action', async (t) => {
  const { latency, actions, own, rate } = reported(hundred())
  const near = (found: number, right: number) => t.ok(Math.abs(found / right - 1) < 0.001, `${found} is ${right}, to three digits`)
  near(latency.p50_ms, 50)
  near(latency.p99_ms, 99)
  near(latency.max_ms, 100)
  t.match(actions, { read: { ok: 100, failed: 0, p50_ms: latency.p50_ms } })
  t.equal(own.begun_late.max_ms, 0.5)
  t.equal(rate.begun, 10)
})

t.test('within the bounds nothing is broken', async (t) => {
  t.strictSame(reported(hundred(), '--p99', '120').broken, [])
})

t.test('each bound that is not kept is told', async (t) => {
  const tally = hundred()
  tally.begin(0)
  tally.end('place', { outcome: 'failed', why: '503' }, 5)
  tally.drop()
  const told = (...args: string[]) => reported(tally, ...args).broken
  t.match(told(), [/^1 of 102 failed \(0\.98 %/, /^1 of 102 arrivals were dropped/])
  t.strictSame(told('--failed', '1', '--dropped', '1'), [])
  t.match(told('--failed', '1', '--dropped', '1', '--p99', '50'), [/^p99 is \d+(\.\d+)? ms \(at most 50 ms\)$/])
})

t.test('a wrong answer is never within bounds, nor is a run in which nothing arrived', async (t) => {
  const tally = hundred()
  tally.begin(0)
  tally.end('repeat a key', { outcome: 'wrong', why: 'another order' }, 5)
  t.strictSame(reported(tally, '--failed', '100').broken, ['1 answers were wrong'])
  t.strictSame(reported(new Tally()).broken, ['nothing arrived'])
})

t.test('limits and conflicts are counted and explained, and break no bound', async (t) => {
  const tally = hundred()
  for (const why of ['lost-race', 'lost-race', '412']) {
    tally.begin(0)
    tally.end('amend', { outcome: 'conflict', why }, 1)
  }
  const { broken, reasons, outcomes } = reported(tally)
  t.strictSame(broken, [])
  t.strictSame(reasons, { 'amend: conflict, lost-race': 2, 'amend: conflict, 412': 1 })
  t.equal(outcomes.conflict, 3)
})

t.test('each second counts its own', async (t) => {
  const tally = hundred()
  tally.tick(7)
  tally.drop()
  const last = tally.tick(0)
  t.match(tally.seconds[0], { due: 100, ended: 100, dropped: 0, under_way: 7 })
  t.ok(tally.seconds[0]!.max_ms >= 100)
  t.match(last, { due: 1, ended: 0, dropped: 1, max_ms: 0 })
})

t.test('the page stands alone and shows what is in the report', async (t) => {
  const tally = hundred()
  tally.begin(0)
  tally.end('place', { outcome: 'failed', why: '<b>' }, 1)
  for (let second = 0; second < 5; second++) tally.tick(0)
  const page = writePage(reported(tally))
  t.match(page, /not within its bounds<\/b>: 1 of 101 failed/)
  t.match(page, '<td>place: failed, &lt;b>')
  t.notMatch(page, /<script|src=|href=/)
})
