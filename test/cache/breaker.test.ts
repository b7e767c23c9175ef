import t from 'tap'
import { Breaker } from '../../src/cache/breaker.js'

/** How often it opened after strikes at these times, in milliseconds. */
function opened (...at: number[]): number {
  let times = 0
  const breaker = new Breaker(() => times++)
  for (const now of at) breaker.strike(now)
  return times
}

t.test('five strikes within two seconds open it, once', async (t) => {
  t.equal(opened(0, 1, 2, 3), 0)
  t.equal(opened(0, 500, 1000, 1500, 1999), 1)
  t.equal(opened(0, 1, 2, 3, 4, 5, 6, 7, 8), 1, 'it counts anew then')
})

t.test('strikes now and then never open it', async (t) => {
  t.equal(opened(...Array.from({ length: 50 }, (_, index) => index * 600)), 0)
})
