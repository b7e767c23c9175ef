import t from 'tap'
import { readSettings } from '../../bench/options.js'
import { PATHS } from '../../bench/paths/all.js'

const paths = (...args: string[]) => readSettings(args)!.only

t.test('every path is played but the long one, which is played when its minutes are given', async (t) => {
  const usual = PATHS.map(({ name }) => name).filter((name) => name !== 'soak')
  t.same(paths(), usual)
  t.same(paths('--soak', '10'), [...usual, 'soak'])
  t.same(paths('--only', 'soak', '--soak', '10'), ['soak'])
  t.throws(() => paths('--only', 'soak'), { message: /wants --soak <minutes>/ })
})

t.test('a path or an axis that is not there is refused, and the usage names those that are', async (t) => {
  t.throws(() => readSettings(['--only', 'place,drian']), { message: /no path drian[^]*place, lone, batches/ })
  t.throws(() => readSettings(['--sweep', 'users']), { message: /no axis users[^]*connections, batch, table, workers, apis/ })
})
