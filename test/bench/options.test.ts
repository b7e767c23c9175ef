import t from 'tap'
import { readOptions } from '../../bench/options.js'
import { ROADS } from '../../bench/roads.js'

const roads = (...args: string[]) => readOptions(args)!.only

t.test('every road is played but the long one, which is played when its minutes are given', async (t) => {
  const usual = ROADS.map(({ name }) => name).filter((name) => name !== 'soak')
  t.same(roads(), usual)
  t.same(roads('--soak', '10'), [...usual, 'soak'])
  t.same(roads('--only', 'soak', '--soak', '10'), ['soak'])
  t.throws(() => roads('--only', 'soak'), { message: /wants --soak <minutes>/ })
})

t.test('a road or an axis that is not there is refused, and the usage names those that are', async (t) => {
  t.throws(() => readOptions(['--only', 'place,drian']), { message: /no road drian[^]*place, lone, batches/ })
  t.throws(() => readOptions(['--sweep', 'users']), { message: /no axis users[^]*connections, batch, table, workers, apis/ })
})
