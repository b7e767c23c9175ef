import t from 'tap'
import { planClusterFaults } from '../../drill/cluster-plan.js'
import { CLUSTER_KINDS } from '../../drill/faults.js'
import { readOptions } from '../../drill/options.js'
import { readPlan } from '../../drill/plan.js'
import { checkTelling } from '../../drill/telling.js'

const SEEDS = Array.from({ length: 50 }, (_, index) => index + 1)
const plan = (seed: number) => planClusterFaults({ seed, seconds: 180 })

t.test('the clustered stage does each fault of a cluster once, in an order of the seed', async (t) => {
  const kinds = Object.entries(CLUSTER_KINDS).flatMap(([target, kinds]) => Object.keys(kinds).map((kind) => `${target} ${kind}`)).sort()
  for (const seed of SEEDS) {
    t.strictSame(plan(seed).map(({ target, kind }) => `${target} ${kind}`).sort(), kinds)
    t.strictSame(plan(seed), plan(seed))
    for (const { target, kind, subject, duration, at } of plan(seed)) {
      const { subjects, seconds: [least, most] } = CLUSTER_KINDS[target as keyof typeof CLUSTER_KINDS][kind]!
      t.ok(subjects.includes(subject) && duration >= least && duration <= most && at < 180)
    }
  }
  t.ok(new Set(SEEDS.map((seed) => JSON.stringify(plan(seed)))).size > 40)
})

t.test('leaders and followers are both cut off and both hang, by the seed', async (t) => {
  for (const kind of ['isolate_node', 'pause_node']) {
    t.strictSame(new Set(SEEDS.flatMap((seed) => plan(seed)).filter((fault) => fault.kind === kind).map(({ subject }) => subject)), new Set(['leader', 'follower']))
  }
})

t.test('a plan by hand names parts of the cluster, which the other stage does not have', async (t) => {
  t.match(readPlan('5 leader kill_node; 9 broker isolate_node 20; 20 postgres fail_over; 30 worker-1 kill', 'cluster'), [
    { target: 'broker', subject: 'leader', kind: 'kill_node', duration: 4.5 },
    { target: 'broker', subject: 'leader', kind: 'isolate_node', duration: 20 },
    { target: 'postgres', subject: 'postgres', kind: 'fail_over' },
    { target: 'worker', subject: 'worker-1', kind: 'kill' }
  ])
  t.throws(() => readPlan('5 leader kill_node'), /no target leader/)
  t.throws(() => readPlan('5 broker kill_node'), /no fault kill_node of broker/)
  t.throws(() => readPlan('5 broker memory_alarm', 'cluster'), /no fault memory_alarm of broker; there are kill_node/)
  t.throws(() => readPlan('5 follower kill_node', 'cluster'), /kill_node is done to leader/)
})

t.test('the options of the stage are read, and refused where they cannot be meant', async (t) => {
  t.match(readOptions(['--stage', 'cluster']), { stage: 'cluster', seconds: 180, faults: plan(1) })
  t.match(readOptions(['--stage', 'cluster', '--faults', 'none']), { faults: [] })
  t.match(readOptions([]), { stage: 'single', ways: ['exchange', 'stream', 'webhook'] })
  t.match(readOptions(['--listeners', 'exchange, stream']), { ways: ['exchange', 'stream'] })
  t.throws(() => readOptions(['--stage', 'moon']), /there are single, cluster/)
  t.throws(() => readOptions(['--stage', 'cluster', '--faults', 'worker']), /the clustered stage does each of its faults/)
  t.throws(() => readOptions(['--listeners', 'radio']), /no way radio/)
})

t.test('a way that is not listened on is not judged, one that heard nothing is', async (t) => {
  const tables = { orders: [], fallback: [], parked: [], events: [{ event_id: 'e', order_id: 'o', version: 1, type: 'order.placed', outcome: 'applied', position: 1, reopened: 0 }] } as unknown as Parameters<typeof checkTelling>[0]
  t.equal(checkTelling(tables, {}).untold.length, 0)
  t.equal(checkTelling(tables, { exchange: [], webhook: [] }).untold.length, 2)
})
