import t from 'tap'
import { limitOf } from './limits.js'

t.test('a limit is a whole number of milliseconds on a machine of any speed', async (t) => {
  for (let tenths = 10; tenths <= 200; tenths++) {
    for (const ms of [100, 2000, 5000, 240_000]) {
      const limit = limitOf(ms, tenths / 10)
      if (!Number.isInteger(limit) || limit < Math.floor(ms * tenths / 10)) t.fail(`${ms} at ${tenths / 10}: ${limit}`)
    }
  }
  t.equal(limitOf(240_000, 4.1), 984_000)
})
