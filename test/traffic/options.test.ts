import t from 'tap'
import { readOptions } from '../../traffic/options.js'

const refused = (...args: string[]): string => {
  try {
    readOptions(args, {})
    return ''
  } catch (error) {
    return (error as Error).message.split('\n')[0]!
  }
}

t.test('this machine may be asked as it is, under each of its names', async (t) => {
  for (const to of ['http://127.0.0.1:3000', 'http://localhost', 'http://127.1.2.3:80/prefix', 'https://[::1]:8443']) t.equal(refused('--to', to), '', to)
})

t.test('any other is refused until it is said to be one\'s own', async (t) => {
  for (const to of ['http://example.com', 'https://10.0.0.7:3000', 'http://localhost.example.com', 'http://127.0.0.1.nip.io', 'http://0.0.0.0:3000', 'http://[::ffff:10.0.0.7]']) {
    t.match(refused('--to', to), /is not this machine/, to)
    t.equal(refused('--to', to, '--yes-i-own-it'), '', to)
  }
})

t.test('what cannot be understood is refused by name', async (t) => {
  t.match(refused('--to', 'comanda'), /^--to: comanda is no address/)
  t.match(refused('--to', 'ftp://127.0.0.1'), /^--to/)
  t.match(refused('--rate', '0'), /^--rate/)
  t.match(refused('--curve', 'week'), /^--curve: there are day, flat/)
  t.match(refused('--failed', '101'), /^--failed/)
  t.match(refused('--dropped', 'few'), /^--dropped/)
  t.match(refused('--operator', 'ana'), /^--operator: the password of ana belongs into TRAFFIC_OPERATOR_PASSWORD/)
  t.match(refused('--speed', '3'), /--speed/)
})

t.test('an operator comes with a password from the environment, never from the command line', async (t) => {
  t.strictSame(readOptions(['--operator', 'ana'], { TRAFFIC_OPERATOR_PASSWORD: 'nine quiet lanterns' })!.operator, { nick_name: 'ana', password: 'nine quiet lanterns' })
})

t.test('without bounds nothing may fail or be dropped', async (t) => {
  t.strictSame(readOptions([], {})!.bounds, { p99_ms: null, failed_percent: 0, dropped_percent: 0 })
})
