import t from 'tap'
import { latencyOf } from '../../bench/figures.js'

const upTo = (largest: number) => Float64Array.from({ length: largest }, (_, index) => largest - index)

t.test('a percentile is the smallest value that so many do not exceed', async (t) => {
  const { p50, p97_5: p975, p99, max } = latencyOf(upTo(1000))
  t.same([p50, p975, p99, max], [500, 975, 990, 1000])
})

t.test('a percentile that too few values stand behind is left out of the plot', async (t) => {
  t.same(latencyOf(upTo(100)).percentiles.at(-1), [99, 99])
  t.same(latencyOf(upTo(10_000)).percentiles.at(-1), [99.99, 9999])
})
