import t from 'tap'
import { type Backlog, DEFERRED_MS, Progress, STUCK_MS } from '../../src/health/progress.js'
import { startWorker } from '../support/apps.js'
import { openPlace } from '../support/place.js'

const later = STUCK_MS + 1000
const look = async (progress: Progress, afterMs: number) => {
  await progress.look()
  return progress.report(performance.now() + afterMs)
}
const source = (backlog: Backlog | null) => ({ backlog: async () => backlog })
const idle = 10 * STUCK_MS

t.test('a source with something to do and nothing done for long is stuck', async (t) => {
  for (const backlog of [{ ready: 1, unsettled: 0, idleMs: idle }, { ready: 0, unsettled: 1, idleMs: idle }]) {
    const progress = new Progress({ orders: source(backlog) })
    t.equal((await look(progress, later)).stuck, true, JSON.stringify(backlog))
  }
})

t.test('neither idleness alone nor work alone is being stuck', async (t) => {
  for (const [backlog, afterMs] of [
    [{ ready: 0, unsettled: 0, idleMs: idle }, later],
    [{ ready: 9, unsettled: 9, idleMs: 10 }, later],
    [{ ready: 9, unsettled: 9, idleMs: idle }, 1000]
  ] as const) t.equal((await look(new Progress({ orders: source(backlog) }), afterMs)).stuck, false, JSON.stringify(backlog))
})

t.test('what has waited long for a newer worker makes it stuck, however busy it is with the rest', async (t) => {
  for (const [oldestMs, stuck] of [[DEFERRED_MS + 1, true], [DEFERRED_MS - 1, false]] as const) {
    const progress = new Progress({ fallback: source({ ready: 5, unsettled: 0, idleMs: 0, deferred: { events: 3, oldestMs } }) })
    t.match(await look(progress, 0), { stuck, sources: { fallback: { stuck, deferred: 3 } } })
  }
})

t.test('a source that was empty in between starts anew', async (t) => {
  let backlog: Backlog = { ready: 1, unsettled: 0, idleMs: idle }
  const progress = new Progress({ orders: { backlog: async () => backlog } })
  await progress.look()
  backlog = { ...backlog, ready: 0 }
  await progress.look()
  backlog = { ...backlog, ready: 1 }
  t.equal((await look(progress, 1000)).stuck, false)
})

t.test('a source that cannot be asked says nothing, and hides no other', async (t) => {
  const progress = new Progress({
    dead: { backlog: async () => await Promise.reject(new Error('no channel')) },
    orders: source({ ready: 1, unsettled: 0, idleMs: idle })
  })
  t.match(await look(progress, later), { stuck: true, sources: { orders: { stuck: true, ready: 1 } } })
  t.notOk('dead' in progress.report().sources)
})

t.test('a stuck worker is alive and not ready, and says at what', async (t) => {
  const worker = await startWorker(t, await openPlace(t))
  t.match((await worker.inject('/readyz')).json(), { status: 'ready', progress: { stuck: false, sources: { fallback: { ready: 0, stuck: false } } } })
  worker.health.follow(() => ({ stuck: true, sources: { orders: { ready: 5, unsettled: 0, idle_ms: 20_000, stuck: true } } }))
  const answer = await worker.inject('/readyz')
  t.equal(answer.statusCode, 503)
  t.match(answer.json(), { status: 'unready', progress: { stuck: true, sources: { orders: { ready: 5, stuck: true } } } })
  t.equal((await worker.inject('/livez')).statusCode, 200)
})
