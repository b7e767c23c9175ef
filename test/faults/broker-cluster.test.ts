import t, { type Test } from 'tap'
import { runCommand } from '../../local/command.js'
import { startRabbitmqCluster } from '../../local/rabbitmq-cluster.js'
import { startRabbitmq } from '../../local/rabbitmq.js'
import { findRabbit } from '../../local/rabbitmq-node.js'
import type { Running } from '../../local/service.js'
import { BrokerManagement } from '../../src/broker/management.js'
import { ORDERS_QUEUE } from '../../src/broker/topology.js'
import { type App, isUp, startApi, startWorker } from '../support/apps.js'
import { openChannel } from '../support/broker.js'
import { eventually } from '../support/eventually.js'
import { isFound, lookAt } from '../support/findings.js'
import { freshFolder } from '../support/folders.js'
import { newcomer, place as placeOrder, type Person } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { scrape, valueOf } from '../support/scrape.js'

const skip = findRabbit(process.env) === null && 'no rabbitmq-server on this machine'
const place = await openPlace(t)
/** A node that joins while the machine is busy. */
const LONG_MS = 60_000

const booked = async () => (await place.pool.query<{ n: number }>('select count(*)::int as n from orders')).rows[0]!.n
const nodeOf = ({ broker }: App) => broker!.node

/** Places one after another until it is told to stop. @returns how many were accepted; all of them are */
function placing (t: Test, api: App, person: Person): () => Promise<number> {
  let accepted = 0
  const stopping = new AbortController()
  const run = (async () => {
    while (!stopping.signal.aborted) {
      const { statusCode } = await placeOrder(api, person)
      if (statusCode === 202) accepted++
      else t.fail(`answered ${statusCode}`)
    }
  })()
  return async () => {
    stopping.abort()
    await run
    return accepted
  }
}

t.test('a RabbitMQ cluster of three nodes', { skip }, async (t) => {
  const stateDir = freshFolder(t)
  const cluster = await startRabbitmqCluster({ stateDir, env: process.env, management: true })
  const nodes: Running[] = [...cluster.nodes]
  t.teardown(async () => {
    await Promise.all(nodes.map(async (node) => await node.stop()))
    await cluster.stop()
  })
  const management = new BrokerManagement(cluster.managementUrl!)
  const env = { AMQP_URL: cluster.url, AMQP_MANAGEMENT_URL: cluster.managementUrl! }
  const group = async () => (await management.queueGroup('/', ORDERS_QUEUE))!
  /** A node that was cut off or hung starts again, and its management API with it: until then it refuses. */
  const allOnline = async () => (await group().catch(() => null))?.online.length === 3
  const indexOf = (name: string) => cluster.members.findIndex((member) => member.name === name)
  const [api, worker] = [await startApi(t, place, env), await startWorker(t, place, env)]
  const person = await newcomer(api)
  const looked = async () => await lookAt(t, { ...place.env, ...env })

  await t.test('the queue of orders is held by all three, though no group size is asked for', async (t) => {
    await eventually('all are members', allOnline, LONG_MS)
    t.strictSame((await group()).members.sort(), cluster.members.map(({ name }) => name))
  })

  await t.test('metrics name the node in use, the leader and the members', async (t) => {
    t.equal(valueOf(await scrape(api), 'comanda_broker_node', { node: nodeOf(api)! }), 1)
    const samples = await scrape(worker)
    t.equal(valueOf(samples, 'comanda_queue_members', { queue: ORDERS_QUEUE, state: 'online' }), 3)
    t.equal(valueOf(samples, 'comanda_queue_members', { queue: ORDERS_QUEUE, state: 'offline' }), 0)
    t.equal(valueOf(samples, 'comanda_queue_leader', { queue: ORDERS_QUEUE, node: (await group()).leader! }), 1)
  })

  await t.test('the doctor names them too, and finds nothing wrong', async (t) => {
    const found = await looked()
    for (const { host } of nodes.map(({ url }) => new URL(url))) isFound(t, found, 'rabbitmq connection', 'ok', new RegExp(host))
    isFound(t, found, 'rabbitmq cluster', 'ok', /running: comanda-1@localhost, comanda-2@localhost, comanda-3@localhost/)
    isFound(t, found, `rabbitmq members of ${ORDERS_QUEUE}`, 'ok', /comanda-\d@localhost leads comanda-1@localhost, comanda-2@localhost, comanda-3@localhost/)
    const blind = await lookAt(t, { ...place.env, AMQP_URL: cluster.url })
    isFound(t, blind, `rabbitmq members of ${ORDERS_QUEUE}`, 'warn', /not known/)
  })

  await t.test('a group size in the declaration would be refused where the queue stands without one', async (t) => {
    const channel = await openChannel(t, cluster.url.replace(/,.*/, ''))
    channel.on('error', () => {}) // the call tells it
    await channel.assertQueue('sized', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await t.rejects(channel.assertQueue('sized', { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-quorum-initial-group-size': 3 } }), { code: 406 })
  })

  await t.test('the leader is killed under load: every order is accepted, and each is booked once', async (t) => {
    const before = await booked()
    const stop = placing(t, api, person)
    await eventually('orders are booked', async () => await booked() > before + 20)
    const leader = indexOf((await group()).leader!)
    await nodes[leader]!.kill('SIGKILL')
    const atKill = await booked()
    await eventually('the broker takes orders again', () => api.health.state('rabbitmq') === 'up' && worker.health.state('rabbitmq') === 'up', LONG_MS)
    for (const app of [api, worker]) t.not(nodeOf(app), new URL(nodes[leader]!.url).host, 'it is with another node')
    await eventually('orders are booked again', async () => await booked() > atKill + 20, LONG_MS)
    const accepted = await stop()
    await eventually('all are booked', async () => await booked() === before + accepted, LONG_MS)

    if (leader !== 0) { // the management URL is that of the first
      const found = await looked()
      isFound(t, found, `rabbitmq node ${new URL(nodes[leader]!.url).host}`, 'warn', /nothing listens at .*; the others are used/)
      isFound(t, found, 'rabbitmq cluster', 'warn', new RegExp(`not running: ${cluster.members[leader]!.name}`))
    }
    nodes[leader] = await startRabbitmq({ stateDir: nodes[leader]!.stateDir, env: process.env, port: nodes[leader]!.port, member: cluster.members[leader]! })
    await eventually('it is a member again', allOnline, LONG_MS)
  })

  await t.test('a node that hangs is left for another, and no order is refused meanwhile', async (t) => {
    const before = await booked()
    const stop = placing(t, api, person)
    const hung = nodes.findIndex(({ url }) => new URL(url).host === nodeOf(api))
    t.not(hung, -1, 'the api is with one of them')
    await nodes[hung]!.kill('SIGSTOP')
    await eventually('the api is with another', () => api.health.state('rabbitmq') === 'up' && nodeOf(api) !== null && nodeOf(api) !== new URL(nodes[hung]!.url).host, LONG_MS)
    await nodes[hung]!.kill('SIGCONT')
    await eventually('the worker is with one', () => worker.health.state('rabbitmq') === 'up', LONG_MS)
    const accepted = await stop()
    await eventually('all are booked', async () => await booked() === before + accepted, LONG_MS)
    await isUp(api, 'rabbitmq')
  })

  await t.test('the doctor warns of a queue that fewer nodes hold than could', async (t) => {
    await eventually('all are members', allOnline, LONG_MS)
    const { command, args, env: ctlEnv } = nodes[0]!.control!
    const shrink = async (gone: string) => {
      const { ok, stdout, stderr } = await runCommand(command.replace(/rabbitmqctl$/, 'rabbitmq-queues'), [...args, 'shrink', gone], { env: ctlEnv, limitMs: 30_000, cwd: '/' })
      t.comment(`shrink ${gone}: ${ok}`, stdout, stderr)
    }
    // a queue whose leader is new refuses a change of its members for a moment, and the command ends well nevertheless
    await eventually('two are left', async () => {
      const found = await group().catch(() => null)
      if (found?.members.length !== 3) return found?.members.length === 2
      await shrink(found.members.find((name) => name !== found.leader)!)
      return false
    }, LONG_MS)
    isFound(t, await looked(), `rabbitmq members of ${ORDERS_QUEUE}`, 'warn', /2 of 3 nodes hold it/)
  })
})
