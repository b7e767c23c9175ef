import t from 'tap'
import { Counts } from '../../src/cache/counts.js'
import { type Attempt, LoginAttempts } from '../../src/usecases/login-attempts.js'
import { UserError } from '../../src/users/errors.js'

const LIMIT = 3

function open () {
  const [waits, keys] = [[] as number[], [] as string[]]
  const counts = new Counts(null, '', () => {})
  const attempts = new LoginAttempts({
    counts: {
      take: async (bounds, windowMs) => {
        keys.push(...bounds.map(({ key }) => key))
        return await counts.take(bounds, windowMs)
      }
    },
    limit: LIMIT,
    pseudonym: (kind, value) => Buffer.from(`${kind}${value}`).toString('hex'),
    wait: async (ms) => waits.push(ms)
  })
  const login = async (outcome: 'right' | 'wrong_credentials' | Error, attempt: Attempt) => await attempts.guard(attempt, async () => {
    if (outcome instanceof Error) throw outcome
    if (outcome !== 'right') throw new UserError(outcome)
    return outcome
  })
  return { waits, keys, attempts, login, outcomeOf: async (outcome: Parameters<typeof login>[0], attempt: Attempt) => await login(outcome, attempt).catch((error: UserError) => error.code) }
}
const from = (address: string, nickName = 'ana'): Attempt => ({ nickName, address })

t.test('so many failures for one name from one address, and then not even the right password is looked at', async (t) => {
  const { login, outcomeOf, attempts } = open()
  for (let failure = 0; failure < LIMIT; failure++) t.equal(await outcomeOf('wrong_credentials', from('a')), 'wrong_credentials')
  const refused = await login('right', from('a')).catch((error: UserError) => error)
  t.match(refused, { code: 'too_many_requests' })
  const { retryAfter } = refused as UserError
  t.ok(retryAfter! > 50 && retryAfter! <= 60, `${retryAfter} s`)
  t.equal(await outcomeOf('wrong_credentials', from('a', 'bia')), 'wrong_credentials', 'another name')
  t.strictSame(attempts.failed, { wrong_credentials: 4, too_many_requests: 1 })
})

t.test('whoever fails for a name from elsewhere, however often, keeps its user not out', async (t) => {
  const { outcomeOf } = open()
  for (let failure = 0; failure < 500; failure++) await outcomeOf('wrong_credentials', from(`attacker ${failure}`))
  for (let failure = 0; failure < 100; failure++) await outcomeOf('wrong_credentials', from('attacker'))
  t.equal(await outcomeOf('right', from('home')), 'right')
})

t.test('very many failures for one name slow its logins down, each a little more, up to a bound', async (t) => {
  const { outcomeOf, waits } = open()
  for (let failure = 0; failure < 300; failure++) await outcomeOf('wrong_credentials', from(`attacker ${failure}`))
  t.equal(waits.length, 300 - LIMIT * 10)
  t.strictSame(waits.slice(0, 3), [20, 40, 60])
  t.equal(Math.max(...waits), 2000)
  waits.length = 0
  await outcomeOf('right', from('home'))
  await outcomeOf('right', from('home', 'bia'))
  t.strictSame(waits, [2000], 'another name does not wait')
})

t.test('one address that fails for very many names is refused, and no other', async (t) => {
  const { outcomeOf } = open()
  for (let name = 0; name < LIMIT * 10; name++) t.equal(await outcomeOf('wrong_credentials', from('a', `name ${name}`)), 'wrong_credentials')
  t.equal(await outcomeOf('right', from('a', 'yet another')), 'too_many_requests')
  t.equal(await outcomeOf('right', from('b', 'name 1')), 'right')
})

t.test('only failures count: neither the right password nor a failure of ours', async (t) => {
  const { outcomeOf } = open()
  for (let time = 0; time < 100; time++) t.equal(await outcomeOf('right', from('a')), 'right')
  for (let time = 0; time < 100; time++) await outcomeOf(new Error('the tables are away'), from('a'))
  for (let time = 0; time < LIMIT; time++) t.equal(await outcomeOf('wrong_credentials', from('a')), 'wrong_credentials')
  t.equal(await outcomeOf('right', from('a')), 'too_many_requests')
})

t.test('a right password in between gives no further guesses', async (t) => {
  const { outcomeOf } = open()
  for (let failure = 0; failure < LIMIT - 1; failure++) await outcomeOf('wrong_credentials', from('a'))
  t.equal(await outcomeOf('right', from('a')), 'right')
  t.equal(await outcomeOf('wrong_credentials', from('a')), 'wrong_credentials')
  t.equal(await outcomeOf('wrong_credentials', from('a')), 'too_many_requests')
})

t.test('guesses at once are counted before they are checked', async (t) => {
  const { attempts } = open()
  let checked = 0
  const guesses = await Promise.allSettled(Array.from({ length: 50 }, async () => await attempts.guard(from('a'), async () => {
    checked++
    await new Promise((resolve) => setImmediate(resolve))
    throw new UserError('wrong_credentials')
  })))
  t.equal(checked, LIMIT)
  t.equal(guesses.filter(({ status }) => status === 'rejected').length, 50)
})

t.test('however a name is written it is one name, and what is counted under shows neither name nor address', async (t) => {
  const { outcomeOf, keys } = open()
  for (const nickName of ['Andr\u00e9', 'Andre\u0301', 'Andr\u00e9']) await outcomeOf('wrong_credentials', from('10.0.0.1', nickName))
  t.equal(await outcomeOf('right', from('10.0.0.1', 'Andre\u0301')), 'too_many_requests')
  for (const key of keys) t.notMatch(key, /Andr|10\.0/)
})
