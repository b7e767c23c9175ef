import t from 'tap'
import { type Fault, KINDS, serviceOf, SUBJECTS, type Target, TARGETS } from '../../drill/faults.js'
import { endOf, planFaults, QUIET_FROM, recovery } from '../../drill/nemesis.js'
import { readOptions } from '../../drill/options.js'
import { readPlan } from '../../drill/plan.js'

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1)
const plan = (seed: number, seconds = 60, targets: readonly Target[] = TARGETS) => planFaults({ seed, seconds, targets })

t.test('the same seed plans the same faults, another seed others', async (t) => {
  for (const seed of SEEDS) t.same(plan(seed), plan(seed))
  t.equal(new Set(SEEDS.map((seed) => JSON.stringify(plan(seed)))).size, SEEDS.length)
})

t.test('two services are never away at once, the way back included, and two faults at most are on', async (t) => {
  let pairs = 0
  for (const seed of SEEDS) {
    for (const seconds of [12, 60, 300]) {
      const faults = plan(seed, seconds)
      for (const fault of faults) {
        const away = faults.filter((other) => serviceOf(other) !== null && other.at <= fault.at && fault.at < endOf(other) + recovery(other))
        if (serviceOf(fault) !== null && new Set(away.map(serviceOf)).size > 1) t.fail(`seed ${seed}: ${JSON.stringify(away)}`)
        const on = faults.filter((other) => other.at <= fault.at && (other === fault || fault.at < endOf(other)))
        if (on.length > 2 || new Set(on.map(({ target }) => target)).size < on.length) t.fail(`seed ${seed}: ${JSON.stringify(on)}`)
        if (on.length === 2) pairs++
      }
    }
  }
  t.ok(pairs > 100, `${pairs} times two at once`)
})

t.test('the end is quiet, and every run has a fault', async (t) => {
  for (const seed of SEEDS) {
    for (const seconds of [5, 12, 60]) {
      const faults = plan(seed, seconds)
      t.ok(faults.length > 0)
      t.ok(faults.every(({ at }) => at <= seconds * QUIET_FROM))
      t.ok(faults.every((fault) => endOf(fault) <= seconds))
    }
  }
})

t.test('every fault of every target comes in some plan, with seconds in its bounds', async (t) => {
  const met = new Map<string, Fault>()
  for (const seed of SEEDS) for (const fault of plan(seed, 120)) met.set(`${fault.target} ${fault.kind}`, fault)
  for (const target of TARGETS) {
    for (const [kind, [least, most]] of Object.entries(KINDS[target])) {
      const fault = met.get(`${target} ${kind}`)
      t.ok(fault && fault.duration >= least && fault.duration <= most, `${target} ${kind}`)
    }
  }
})

t.test('only the targets that were asked for', async (t) => {
  for (const target of TARGETS) {
    const faults = SEEDS.flatMap((seed) => plan(seed, 30, [target]))
    t.same([...new Set(faults.map((fault) => fault.target))], [target])
    t.same(new Set(faults.map(({ subject }) => subject)), new Set(SUBJECTS[target]))
  }
  t.same(readOptions(['--faults', 'worker,redis', '--seconds', '30'])?.faults, plan(1, 30, ['worker', 'redis']))
  t.same(readOptions(['--faults', 'none'])?.faults, [])
  t.throws(() => readOptions(['--faults', 'worker,moon']), /no target moon/)
})

t.test('a plan given by hand is read as it stands, and refused by name where it cannot be done', async (t) => {
  t.match(readPlan('30 postgres down 60; 10 broker restart; 40 worker-redis delay 5'), [
    { at: 10, target: 'broker', subject: 'broker', kind: 'restart', duration: 0 },
    { at: 30, target: 'postgres', subject: 'postgres', kind: 'down', duration: 60 },
    { at: 40, target: 'network', subject: 'worker-redis', kind: 'delay', duration: 5, delay: Number }
  ])
  t.match(readPlan('5 worker-2 kill'), [{ target: 'worker', subject: 'worker-2' }])
  for (const wrong of ['soon broker kill', '10 broker', '10 moon kill', '10 broker melt', '10 broker kill 1 2', '-1 broker kill']) {
    t.throws(() => readPlan(wrong), new RegExp(`"${wrong}"`))
  }
})
