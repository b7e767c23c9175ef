import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Channel } from 'amqplib'
import { Redis } from 'ioredis'
import pg from 'pg'
import t, { type Test } from 'tap'
import { freePort } from '../../local/ports.js'
import { startPostgres } from '../../local/postgres.js'
import { startRabbitmq } from '../../local/rabbitmq.js'
import { findRabbit } from '../../local/rabbitmq-node.js'
import { findRedis } from '../../local/redis.js'
import { DEAD_QUEUE, declareTopology, EVENTS_EXCHANGE, INTAKE_EXCHANGE, INTAKE_KEY, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { amqpConnect, openChannel } from '../support/broker.js'
import { compose, filled, OURS, readEnvFile } from '../support/compose.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { newcomer, place as placeOrder, reads } from '../support/people.js'
import { openPlace, type Place } from '../support/place.js'

const place = await openPlace(t)
const folder = freshFolder(t)
execFileSync(process.execPath, ['scripts/secrets.mjs', folder])
const values = readEnvFile(join(folder, '.env'))

async function ordersAreBooked (t: Test, env: { api?: Record<string, string>, worker?: Record<string, string> }, at: Place = place): Promise<void> {
  const [api, worker] = [await startApi(t, at, env.api), await startWorker(t, at, env.worker)]
  const ana = await newcomer(api)
  const { order_id: id } = (await placeOrder(api, ana)).json<{ order_id: string }>()
  await reads(api, ana, id, 'confirmed')
  for (const app of [api, worker]) t.strictSame(app.lines.filter(({ event }) => /_(down|missed)$/.test(event)), [], 'no service was away')
}

t.test('RabbitMQ with the compose file\'s users: each process does its work, and nothing that is the other\'s', { skip: findRabbit(process.env) === null && 'no rabbitmq-server on this machine' }, async (t) => {
  const node = await startRabbitmq({ stateDir: freshFolder(t), env: process.env })
  t.teardown(async () => await node.stop())
  const { command, args, env } = node.control!
  await promisify(execFile)(command, [...args, 'import_definitions', join(folder, 'deploy/rabbitmq/definitions.json')], { env: env as NodeJS.ProcessEnv })
  const urlOf = (process: typeof OURS[number]) => node.url.replace(/\/\/[^@]+@/, `//comanda_${process}:${values[`RABBITMQ_${process.toUpperCase()}_PASSWORD`]}@`)

  await t.resolves(declareTopology(await openChannel(t, node.url)), 'the queues of the file are those that this build declares')
  await ordersAreBooked(t, { api: { AMQP_URL: urlOf('api') }, worker: { AMQP_URL: urlOf('worker') } })
  const relay = await startRelay(t, place, { AMQP_URL: urlOf('relay') })
  await eventually('what was booked is told', async () => await relay.untold() === 0)
  t.strictSame(relay.lines.filter(({ level }) => level === 'warn'), [])

  const publish = (exchange: string, key: string) => async (channel: Channel) => {
    channel.publish(exchange, key, Buffer.from('{}'))
    await channel.checkExchange(INTAKE_EXCHANGE)
  }
  const both = {
    'declare a queue': async (channel: Channel) => { await channel.assertQueue('mine') },
    'delete the queue of orders': async (channel: Channel) => { await channel.deleteQueue(ORDERS_QUEUE) },
    'delete the exchange': async (channel: Channel) => { await channel.deleteExchange(INTAKE_EXCHANGE) },
    'bind the queue to another exchange': async (channel: Channel) => { await channel.bindQueue(ORDERS_QUEUE, 'amq.topic', '#') },
    'go past the exchange': publish('', ORDERS_QUEUE)
  }
  const forbidden = {
    api: {
      ...both,
      'tell what did not happen': publish(EVENTS_EXCHANGE, 'order.paid'),
      'read orders': async (channel: Channel) => { await channel.get(ORDERS_QUEUE) },
      'consume orders': async (channel: Channel) => { await channel.consume(ORDERS_QUEUE, () => {}) },
      'drop all orders': async (channel: Channel) => { await channel.purgeQueue(ORDERS_QUEUE) },
      'read dead letters': async (channel: Channel) => { await channel.get(DEAD_QUEUE) }
    },
    worker: { ...both, 'publish orders': publish(INTAKE_EXCHANGE, INTAKE_KEY), 'tell what did not happen': publish(EVENTS_EXCHANGE, 'order.paid') },
    relay: { ...both, 'publish orders': publish(INTAKE_EXCHANGE, INTAKE_KEY), 'read orders': async (channel: Channel) => { await channel.get(ORDERS_QUEUE) } }
  }
  for (const process of OURS) {
    const connection = await amqpConnect(urlOf(process))
    for (const [name, attempt] of Object.entries(forbidden[process])) {
      const channel = (await connection.createChannel()).on('error', () => {})
      const refused = new Promise<never>((_resolve, reject) => channel.once('error', reject))
      await t.rejects(Promise.race([attempt(channel), refused]), { code: 403 }, `the ${process} may not ${name}`)
    }
    await connection.close()
  }
})

t.test('Redis is started by the compose file without a password in the list of processes', async (t) => {
  const programs = freshFolder(t)
  writeFileSync(join(programs, 'redis-server'), '#!/bin/sh\necho "given: $@"\ncat "$@"\n', { mode: 0o755 })
  const [shell, ...given] = compose.services.redis!.command!.map((text) => filled(text, values))
  t.notMatch(given.join(' '), values.REDIS_PASSWORD!, 'nor in the one that the shell stands in')
  const { stdout } = await promisify(execFile)(shell!, given, { env: { PATH: `${programs}:${process.env.PATH}`, REDIS_PASSWORD: values.REDIS_PASSWORD! } })
  const [first, ...settings] = stdout.split('\n')
  t.match(first, /^given: \S/)
  t.notMatch(first, values.REDIS_PASSWORD!)
  t.match(settings.join(' '), values.REDIS_PASSWORD!, 'it stands in what is read')
})

t.test('Redis as the compose file starts it: our keys alone, and no command that administers', { skip: findRedis(process.env) === null && 'no redis-server on this machine' }, async (t) => {
  const port = await freePort()
  const dir = freshFolder(t)
  const [shell, option, script] = compose.services.redis!.command!.map((text) => filled(text, values)).map((text) => text.replace('dir /tmp', `dir ${dir}\nport ${port}\nbind 127.0.0.1`))
  const server = spawn(shell!, [option!, script!], { env: { PATH: process.env.PATH, REDIS_PASSWORD: values.REDIS_PASSWORD }, stdio: 'ignore' })
  t.teardown(async () => {
    server.kill()
    if (server.exitCode === null) await once(server, 'exit')
  })
  const url = `redis://:${values.REDIS_PASSWORD}@127.0.0.1:${port}`
  const client = new Redis(url)
  t.teardown(() => client.disconnect())
  client.on('error', () => {})
  await eventually('it answers', async () => await client.ping().catch(() => null))

  await ordersAreBooked(t, { api: { REDIS_URL: url, REDIS_PREFIX: 'comanda:' }, worker: { REDIS_URL: url, REDIS_PREFIX: 'comanda:' } })
  t.ok(await client.dbsize(), 'it was used')
  const stranger = new Redis(`redis://127.0.0.1:${port}`, { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false })
  stranger.on('error', () => {})
  await t.rejects(stranger.get('comanda:x'), /NOAUTH/)
  stranger.disconnect()
  for (const [command, ...given] of [['config', 'set', 'dir', '/'], ['flushall'], ['keys', '*'], ['get', 'others'], ['publish', 'others', 'x'], ['shutdown', 'nosave'], ['replicaof', '127.0.0.1', '1'], ['module', 'load', '/x.so'], ['acl', 'setuser', 'x'], ['debug', 'sleep', '1']]) {
    await t.rejects(client.call(command!, ...given), /NOPERM|not allowed/, command!)
  }
})

t.test('Postgres as the compose file makes it: the processes\' role owns its tables and nothing of the server', async (t) => {
  const server = await startPostgres({ stateDir: freshFolder(t), env: process.env, durable: false })
  t.teardown(async () => await server.stop())
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  t.teardown(async () => await admin.end())
  const name = 'comanda_compose' // the server's own superuser and database are named as the file's
  const script = readFileSync('deploy/postgres/comanda.sql', 'utf8').replace(/^\\getenv.*\n/m, '').replace(':\'password\'', `'${values.POSTGRES_PASSWORD}'`)
    .replace('create role comanda ', `create role ${name} `).replace('create database comanda owner comanda', `create database ${name} owner ${name}`).replace('on database comanda,', `on database ${name},`)
  for (const statement of script.split(';').filter((part) => /\w/.test(part.replace(/^--.*$/gm, '')))) await admin.query(statement)
  const url = new URL(server.url)
  Object.assign(url, { username: name, password: values.POSTGRES_PASSWORD, pathname: `/${name}` })
  const env = { DATABASE_URL: url.href }
  await ordersAreBooked(t, { api: env, worker: env })

  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  t.teardown(async () => await client.end())
  for (const statement of ['create role x', 'create database x', 'copy users to program \'cat\'', 'copy users from \'/etc/passwd\'', 'copy users to \'/tmp/x\'', 'select pg_read_file(\'/etc/passwd\')', 'alter system set fsync = off', `alter role ${name} superuser`, 'create extension plpython3u', 'set session_replication_role = replica']) {
    await t.rejects(client.query(statement), /permission denied|must be|could not|only .* may|required to/i, statement)
  }
  const { rows: [role] } = await client.query(`
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as rights, (select count(*)::int from pg_auth_members where member = pg_roles.oid) as memberships
    from pg_roles where rolname = current_user`)
  t.strictSame(role, { rights: false, memberships: 0 })
  url.pathname = '/postgres'
  const elsewhere = new pg.Client({ connectionString: url.href })
  await t.rejects(elsewhere.connect(), { code: '42501' }, 'nor may it enter another database')
})
