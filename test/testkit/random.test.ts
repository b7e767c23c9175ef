import t from 'tap'
import { Random } from '../../testkit/random.js'

t.test('what is drawn by weight comes as often as its weight says, and never without one', async (t) => {
  const random = new Random(1)
  const drawn = { often: 0, seldom: 0, never: 0 }
  for (let draw = 0; draw < 10_000; draw++) drawn[random.weighted({ often: 9, never: 0, seldom: 1 })]++
  t.equal(drawn.never, 0)
  t.ok(Math.abs(drawn.seldom - 1000) < 150, `${drawn.seldom} of 10,000; five standard deviations are 150`)
})

t.test('the same seed draws the same', async (t) => {
  const draws = () => {
    const random = new Random(7)
    return Array.from({ length: 20 }, () => random.weighted({ a: 1, b: 1, c: 2 }))
  }
  t.strictSame(draws(), draws())
})
