import t from 'tap'
import { Semaphore } from '../../src/auth/semaphore.js'
import { startApi } from '../support/apps.js'
import { newcomer } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'

const place = await openPlace(t)

t.test('a semaphore lets so many run at once, the next in the order of their coming', async (t) => {
  const semaphore = new Semaphore(2, 10)
  const log: string[] = []
  const ends = new Map<string, (fails?: Error) => void>()
  const run = async (name: string) => await semaphore.run(async () => {
    log.push(name)
    await new Promise<void>((resolve, reject) => ends.set(name, (error) => error ? reject(error) : resolve()))
    return name
  })
  const running = ['a', 'b', 'c', 'd'].map(run)
  t.strictSame(log, ['a', 'b'])
  ends.get('b')!()
  t.equal(await running[1], 'b')
  t.strictSame(log, ['a', 'b', 'c'])
  ends.get('a')!(new Error('it failed'))
  await t.rejects(running[0]!, /it failed/)
  t.strictSame(log, ['a', 'b', 'c', 'd'], 'one that fails makes room too')
  for (const name of ['c', 'd']) ends.get(name)!()
  t.strictSame(await Promise.all(running.slice(2)), ['c', 'd'])
  const later = ['e', 'f', 'g'].map(run)
  t.strictSame(log.slice(4), ['e', 'f'], 'all is free again, and no more than that')
  for (const name of ['e', 'f', 'g']) {
    await later[['e', 'f', 'g'].indexOf(name) - 2]
    ends.get(name)!()
  }
  await Promise.all(later)
})

/** Work that waits to be told to end; the log says whose began. */
function lines (atOnce: number, mostWaiting: number) {
  const semaphore = new Semaphore(atOnce, mostWaiting)
  const [log, ends] = [[] as string[], [] as Array<() => void>]
  const ask = (line: string) => semaphore.run(async () => {
    log.push(line)
    await new Promise<void>((resolve) => ends.push(resolve))
  }, line).catch((error: { code: string }) => { log.push(`${line} ${error.code}`) })
  const drain = async () => {
    while (ends.length > 0) {
      ends.shift()!()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { log, ask, drain }
}

t.test('lines take turns: who asks for much waits for themself, and keeps nobody else waiting', async (t) => {
  const { log, ask, drain } = lines(1, 20)
  for (const line of ['flood', 'flood', 'flood', 'flood', 'ana', 'bia', 'ana']) void ask(line)
  await drain()
  t.strictSame(log, ['flood', 'flood', 'ana', 'bia', 'flood', 'ana', 'flood'])
})

t.test('when all places are taken the last of the longest line gives way, to one of a shorter line', async (t) => {
  const { log, ask, drain } = lines(1, 4)
  for (const line of ['flood', 'flood', 'flood', 'flood', 'flood']) void ask(line)
  for (const line of ['flood', 'ana', 'bia', 'bia', 'carla']) {
    void ask(line)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.strictSame(log, ['flood', 'flood busy', 'flood busy', 'flood busy', 'bia busy', 'flood busy'])
  await drain()
  t.strictSame(log.slice(6), ['flood', 'ana', 'bia', 'carla'])
})

t.test('who comes when as many wait as may is refused, and nothing of theirs is run', async (t) => {
  const semaphore = new Semaphore(1, 1)
  let end = (_result: string) => {}
  const first = semaphore.run(async () => await new Promise<string>((resolve) => { end = resolve }))
  const second = semaphore.run(async () => 'second')
  await t.rejects(semaphore.run(async () => t.fail('it ran')), { code: 'busy' })
  end('first')
  t.strictSame(await Promise.all([first, second]), ['first', 'second'])
  t.equal(await semaphore.run(async () => 'later'), 'later')
})

t.test('a flood of logins is answered: some checked, the rest told to come again, and orders go on', async (t) => {
  const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '' })
  const ana = await newcomer(api)
  // Its connections are open: on a busy machine opening one takes longer than a request waits for it.
  await Promise.all(Array.from({ length: 6 }, async () => await api.inject({ url: '/users/me', headers: ana.headers })))
  const flood = Promise.all(Array.from({ length: 120 }, async () => await api.inject({ method: 'POST', url: '/auth/token', payload: { nick_name: ana.nick_name, password: ana.password } })))
  const orders = await api.inject({ url: '/orders', headers: ana.headers })
  t.equal(orders.statusCode, 200)
  const answers = await flood
  const statuses = new Set(answers.map(({ statusCode }) => statusCode))
  t.strictSame([...statuses].sort(), [200, 503])
  const refused = answers.find(({ statusCode }) => statusCode === 503)!
  isProblem(t, refused, 503, 'busy')
  t.match(refused.headers['retry-after'], /^[1-9]\d*$/)
  t.ok(answers.filter(({ statusCode }) => statusCode === 200).length >= 64)
  t.equal((await newcomer(api)).headers.authorization.length > 20, true, 'afterwards all is as before')
})
