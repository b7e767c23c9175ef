import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { startRabbitmq } from '../../local/rabbitmq.js'
import { findRabbit } from '../../local/rabbitmq-node.js'
import type { Running } from '../../local/service.js'
import { declareTopology, EVENTS_EXCHANGE, ORDERS_QUEUE } from '../../src/broker/topology.js'
import { type App, boot, isUp, startApi, startRelay, startWorker } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'
import { limitOf } from '../support/limits.js'
import { newcomer, place as placeOrder, type Person } from '../support/people.js'
import { openPlace } from '../support/place.js'

/** Faults that only a node of the test's own may have: alarms, policies, settings. */
const skip = findRabbit(process.env) === null && 'no rabbitmq-server on this machine'
const place = await openPlace(t)
const count = async (table: 'fallback_queue' | 'orders' | 'parked_events') => (await place.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]!.n

async function startNode (t: Test): Promise<{ node: Running, env: { AMQP_URL: string }, ctl: (...args: string[]) => Promise<void> }> {
  const node = await startRabbitmq({ stateDir: freshFolder(t), env: process.env })
  t.teardown(async () => await node.stop())
  const { command, args, env } = node.control!
  return { node, env: { AMQP_URL: node.url }, ctl: async (...more) => { await promisify(execFile)(command, [...args, ...more], { env: env as NodeJS.ProcessEnv }) } }
}

async function accepts (t: Test, api: App, person: Person, many = 1): Promise<number> {
  const started = performance.now()
  const answers = await Promise.all(Array.from({ length: many }, async () => await placeOrder(api, person)))
  t.strictSame(new Set(answers.map(({ statusCode }) => statusCode)), new Set([202]))
  return performance.now() - started
}

t.test('a RabbitMQ node of our own', { skip }, async (t) => {
  const { env, ctl } = await startNode(t)
  const api = await startApi(t, place, env)
  const person = await newcomer(api)
  const channel = await openChannel(t, env.AMQP_URL)
  const drained = async (worker: App, orders: number) => {
    await eventually('all are booked', async () => await count('orders') === orders, 20_000)
    await eventually('all is drained', async () => await worker.drained())
  }

  await t.test('a memory alarm: orders go by the fallback queue at once, the worker goes on, and the broker is used again after it', async (t) => {
    const worker = await startWorker(t, place, env)
    await accepts(t, api, person)
    await drained(worker, 1)
    await ctl('set_vm_memory_high_watermark', '0')
    await accepts(t, api, person, 20) // what is published now is not read: it is given up in its time at the latest
    const took = await accepts(t, api, person, 20)
    t.ok(took < limitOf(1200), `20 orders in ${Math.round(took)} ms, less than one confirm time`)
    await drained(worker, 41)
    await ctl('set_vm_memory_high_watermark', '0.4')
    await eventually('the broker takes orders again', async () => {
      await accepts(t, api, person)
      return await count('fallback_queue') === 0
    })
    await eventually('all is drained', async () => await worker.drained())
    await worker.close()
  })

  await t.test('a memory alarm stops the exchange and nothing else, and the relay goes on by itself when it ends', async (t) => {
    await place.pool.query('delete from orders')
    const [worker, relay] = [await startWorker(t, place, env), await startRelay(t, place, env)]
    const untold = async () => await relay.untold()
    await eventually('all is told', async () => await untold() === 0)
    const { queue } = await channel.assertQueue('listener', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.bindQueue(queue, EVENTS_EXCHANGE, '#')
    await ctl('set_vm_memory_high_watermark', '0')
    await accepts(t, api, person, 10)
    await drained(worker, 10)
    await eventually('the exchange is not told of them', async () => await untold() === 10)
    await ctl('set_vm_memory_high_watermark', '0.4')
    await eventually('all is told', async () => await untold() === 0)
    t.equal((await channel.checkQueue(queue)).messageCount, 10, 'each once')
    t.strictSame(relay.lines.filter(({ level }) => level === 'warn'), [])
    await eventually('the broker takes orders again', async () => {
      await accepts(t, api, person)
      return await count('fallback_queue') === 0
    })
    await eventually('all is drained', async () => await worker.drained())
    await Promise.all([worker.close(), relay.close()])
  })

  await t.test('a full queue refuses, and what it refuses goes by the fallback queue', async (t) => {
    await place.pool.query('delete from orders')
    await ctl('set_policy', 'full', `^${ORDERS_QUEUE}$`, '{"max-length":2}', '--apply-to', 'queues')
    for (let order = 0; order < 20; order++) await accepts(t, api, person)
    const { messageCount } = await channel.checkQueue(ORDERS_QUEUE)
    t.ok(messageCount < 20 && await count('fallback_queue') >= 20 - messageCount, `${messageCount} in the queue, ${await count('fallback_queue')} in the fallback queue`)
    await ctl('clear_policy', 'full')
    const worker = await startWorker(t, place, env)
    await drained(worker, 20)
    await worker.close()
  })

  await t.test('a queue that stands with other arguments is told in the log, and orders go by the fallback queue', async (t) => {
    await ctl('add_vhost', 'other')
    await ctl('set_permissions', '-p', 'other', new URL(env.AMQP_URL).username, '.*', '.*', '.*')
    const url = `${env.AMQP_URL}/other`
    await (await openChannel(t, url)).assertQueue(ORDERS_QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    const other = await boot(t, 'api', { ...place.env, AMQP_URL: url })
    await isUp(other, 'postgres')
    await eventually('it says so', () => other.lines.some(({ service, state, reason }) => service === 'rabbitmq' && state === 'down' && /PRECONDITION.FAILED/.test(String(reason))))
    await accepts(t, other, person)
    t.equal(await count('fallback_queue'), 1)
    await declareTopology(channel)
  })
})
