import { execFile, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import pg from 'pg'
import t from 'tap'
import { freePort } from '../../local/ports.js'
import { startPostgres } from '../../local/postgres.js'
import { startRabbitmq } from '../../local/rabbitmq.js'
import { findRabbit } from '../../local/rabbitmq-node.js'
import { findRedis, startRedis } from '../../local/redis.js'
import { declareTopology } from '../../src/broker/topology.js'
import { openChannel } from '../support/broker.js'
import { isFound, lookAt } from '../support/findings.js'
import { freshFolder } from '../support/folders.js'

/** What only a server of the test's own may have: passwords, settings, alarms. */
const nowhere = 'postgres://127.0.0.1:1/x'

t.test('Postgres: a wrong password, an unknown user, settings that lose orders, read-only, and no connection left', async (t) => {
  const server = await startPostgres({ stateDir: freshFolder(t), env: process.env, durable: false, settings: { max_connections: '20' } })
  t.teardown(async () => await server.stop())
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  const look = async (url = server.url) => await lookAt(t, { DATABASE_URL: url })
  const changed = async (...statements: string[]) => { for (const statement of statements) await admin.query(statement) }
  const password = new URL(server.url).password

  isFound(t, await look(server.url.replace(password, 'hunter2')), 'postgres connection', 'wrong', /refuses user \w+ with this password$/)
  isFound(t, await look(server.url.replace(/\/\/\w+:/, '//nobody:')), 'postgres connection', 'wrong', /refuses user nobody with this password$|there is no such user/)
  isFound(t, await look(), 'postgres durability', 'wrong', /^fsync and full_page_writes off: a crash/)
  isFound(t, await look(), 'postgres connections', 'ok', /^1[56] of 17 free$/)

  await changed('create role ana login password \'hunter2\' connection limit 5', 'alter role ana set synchronous_commit to off', 'alter role ana set default_transaction_read_only to on', 'alter database comanda connection limit 9')
  const found = await look(server.url.replace(/\/\/[^@]+@/, '//ana:hunter2@'))
  isFound(t, found, 'postgres durability', 'wrong', /synchronous_commit off/)
  isFound(t, found, 'postgres writes', 'wrong', /^read-only/)
  isFound(t, found, 'postgres connections', 'warn', /^[67] of 9 free: not enough/)

  await changed('alter database comanda connection limit 0')
  isFound(t, await look(server.url.replace(/\/\/[^@]+@/, '//ana:hunter2@')), 'postgres connection', 'wrong', /has no connection left$/)
  await admin.end()
})

t.test('Redis: a wrong password, none, what a full one drops, and a replica', { skip: findRedis(process.env) === null && 'no redis-server on this machine' }, async (t) => {
  const server = await startRedis({ stateDir: freshFolder(t), env: process.env, durable: false })
  const client = new Redis(server.url)
  t.teardown(async () => {
    await client.quit()
    await server.stop()
  })
  const look = async (url = server.url) => await lookAt(t, { DATABASE_URL: nowhere, REDIS_URL: url })

  isFound(t, await look(server.url.replace(/:[^:@]+@/, ':hunter2@')), 'redis connection', 'wrong', /refuses user default with this password$/)
  isFound(t, await look(server.url.replace(/\/\/.*@/, '//')), 'redis connection', 'wrong', /wants a password, and REDIS_URL holds none$/)
  isFound(t, await look(), 'redis memory', 'ok', /^no bound/)
  await client.config('SET', 'maxmemory', '256mb')
  isFound(t, await look(), 'redis memory', 'ok', /^\d % of 256 MiB used, noeviction$/)
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  isFound(t, await look(), 'redis memory', 'warn', /allkeys-lru: a full one drops single keys/)
  await client.config('SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1mb')
  isFound(t, await look(), 'redis memory', 'warn', /^\d+ % of 1 MiB used, noeviction$/)
  await client.replicaof('127.0.0.1', 1)
  isFound(t, await look(), 'redis data', 'wrong', /^a replica/)
  await client.replicaof('NO', 'ONE')
})

/** An address of this machine that a server does not take for its own loopback. */
const outside = Object.values(networkInterfaces()).flat().find((found) => found?.family === 'IPv4' && !found.internal)?.address

t.test('Redis in protected mode, asked from another address', { skip: (findRedis(process.env) === null || outside === undefined) && 'no redis-server on this machine, or no address but loopback' }, async (t) => {
  const port = await freePort()
  const server = spawn(findRedis(process.env)!, ['--port', String(port), '--bind', '0.0.0.0', '--save', '', '--dir', freshFolder(t)], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(async () => {
    server.kill()
    await once(server, 'exit')
  })
  for await (const [line] of on(server.stdout, 'data', { signal: AbortSignal.timeout(10_000) })) if (String(line).includes('Ready to accept connections')) break
  isFound(t, await lookAt(t, { DATABASE_URL: nowhere, REDIS_URL: `redis://${outside}:${port}` }), 'redis connection', 'wrong', /is in protected mode: it lets in nobody from another machine$/)
})

t.test('RabbitMQ: an alarm, an exchange of another type, a user who may not declare', { skip: findRabbit(process.env) === null && 'no rabbitmq-server on this machine' }, async (t) => {
  const node = await startRabbitmq({ stateDir: freshFolder(t), env: process.env })
  t.teardown(async () => await node.stop())
  const { command, args, env } = node.control!
  const ctl = async (...more: string[]) => { await promisify(execFile)(command, [...args, ...more], { env: env as NodeJS.ProcessEnv }) }
  const look = async (url = node.url) => await lookAt(t, { DATABASE_URL: nowhere, AMQP_URL: url })
  const channel = await openChannel(t, node.url)

  isFound(t, await look(), 'rabbitmq alarm', 'warn', /^not known: .* no exchange to take it$/)
  await channel.assertExchange('comanda.intake', 'fanout', { durable: true })
  isFound(t, await look(), 'rabbitmq exchange comanda.intake', 'wrong', /^stands with another type: fanout, this build declares direct$/)
  await channel.deleteExchange('comanda.intake')

  await declareTopology(channel)
  isFound(t, await look(), 'rabbitmq alarm', 'ok', /^none/)
  await ctl('set_vm_memory_high_watermark', '0')
  const alarmed = await look()
  isFound(t, alarmed, 'rabbitmq alarm', 'wrong', /^it takes no messages: low on memory/)
  isFound(t, alarmed, 'rabbitmq queue comanda.orders', 'ok', /^as this build declares it$/)
  await ctl('set_vm_memory_high_watermark', '0.4')
  isFound(t, await look(), 'rabbitmq alarm', 'ok', /^none/)

  await ctl('add_user', 'reader', 'hunter2')
  await ctl('set_permissions', 'reader', '', '', '.*')
  const refused = await look(node.url.replace(/\/\/[^@]+@/, '//reader:hunter2@'))
  isFound(t, refused, 'rabbitmq queue comanda.orders', 'ok', /^there; this user may not declare it/)
  isFound(t, refused, 'rabbitmq alarm', 'warn', /^not known: .* may not publish$/)
})
