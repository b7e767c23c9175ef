import t from 'tap'
import { readSettings } from '../../bench/options.js'
import type { Path } from '../../bench/paths/path.js'
import { summarize } from '../../bench/paths/report.js'

const path: Path = {
  name: 'path',
  title: () => 'a path',
  how: 'somehow',
  units: { ours: 'orders/s', theirs: 'orders/s', memory: 'MiB' },
  ratio: ['ours', 'theirs'],
  targets: () => [{ figure: 'ratio', bound: 'at least', limit: 0.5 }, { figure: 'memory', bound: 'at most', limit: 150, of: 'max' }],
  async measure () { return { figures: {} } }
}

function judge (...rounds: Array<{ ours: number, theirs: number, memory: number | null }>) {
  return summarize(path, rounds.map((figures) => ({ figures })), readSettings([])!)
}

t.test('a ratio is the median of what each round says for itself', async (t) => {
  // the ratio of the medians would be 10 / 20
  const { ratio, targets } = judge({ ours: 6, theirs: 10, memory: 1 }, { ours: 10, theirs: 20, memory: 1 }, { ours: 60, theirs: 100, memory: 1 })
  t.same(ratio!.rounds, [0.6, 0.5, 0.6])
  t.equal(targets[0]!.value, 0.6)
})

t.test('a size is judged by its largest', async (t) => {
  const [, memory] = judge({ ours: 1, theirs: 1, memory: 100 }, { ours: 1, theirs: 1, memory: 151 }, { ours: 1, theirs: 1, memory: 100 }).targets
  t.same([memory!.value, memory!.met, memory!.asked], [151, false, '<= 150 MiB'])
})

t.test('what the machine cannot tell is neither met nor missed', async (t) => {
  const [, memory] = judge({ ours: 1, theirs: 1, memory: null }).targets
  t.equal(memory!.met, null)
})
