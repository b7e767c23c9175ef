import t from 'tap'
import { Random } from '../../testkit/random.js'
import { type ArrivalPlan, arrivalsOf, shareOfRate } from '../../traffic/arrivals.js'

const of = (plan: Partial<ArrivalPlan> & { number?: number }) => [...arrivalsOf({ seconds: 100, rate: 200, curve: 'flat', seed: new Random(plan.number ?? 1), ...plan })]

t.test('the same seed has the same arrivals, another one others', async (t) => {
  const listed = (number: number) => of({ number }).join()
  const first = listed(7)
  t.ok(listed(7) === first)
  t.ok(listed(8) !== first)
})

t.test('they rise, within the length of the run', async (t) => {
  const arrivals = of({ curve: 'day' })
  t.ok(arrivals.every((at, index) => at >= (arrivals[index - 1] ?? 0)))
  t.ok(arrivals[0]! >= 0 && arrivals.at(-1)! < 100_000)
})

t.test('on average there are as many as the rate says, whatever the curve', async (t) => {
  for (const curve of ['flat', 'day'] as const) {
    const many = Array.from({ length: 10 }, (_, number) => of({ curve, number }).length).reduce((sum, count) => sum + count) / 10
    t.ok(Math.abs(many / 20_000 - 1) < 0.01, `${curve}: ${many}`) // four standard deviations are 0.009
  }
})

t.test('they come at random, as those of people do: a Poisson process counts with a variance that equals its mean', async (t) => {
  const counts = new Array<number>(1000).fill(0)
  for (const at of of({ rate: 200 })) counts[Math.floor(at / 100)]!++
  const mean = counts.reduce((sum, count) => sum + count) / counts.length
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length
  t.ok(variance / mean > 0.8 && variance / mean < 1.2, `variance over mean: ${variance / mean}`)
})

t.test('a day has its quiet night and its busy evening, in the order of the clock', async (t) => {
  const hour = (at: number) => shareOfRate('day', at / 24)
  t.ok(hour(3.5) < 0.2 && hour(20.5) > 1.8, `${hour(3.5)}, ${hour(20.5)}`)
  t.equal(shareOfRate('day', 0), shareOfRate('day', 1), 'midnight is midnight')
  const arrivals = of({ curve: 'day' })
  const between = (from: number, to: number) => arrivals.filter((at) => at >= from / 24 * 100_000 && at < to / 24 * 100_000).length
  t.ok(between(20, 21) > 8 * between(3, 4))
})
