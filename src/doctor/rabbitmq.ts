import amqplib, { type ChannelModel } from 'amqplib'
import { guardConnections } from '../broker/guard.js'
import { type Depth, findAlarm, inspectExchange, inspectQueue, type Standing } from '../broker/inspection.js'
import { BrokerManagement, type ClusterNode, type QueueGroup } from '../broker/management.js'
import { type BrokerNode, BrokerNodes, isOtherFamily } from '../broker/nodes.js'
import { DEAD_QUEUE, EVENTS_EXCHANGE, INTAKE_EXCHANGE, ORDERS_QUEUE, type QueueName } from '../broker/topology.js'
import type { Address, Where } from './address.js'
import type { Notes } from './finding.js'
import { ANSWER_MS, answered } from './limits.js'
import { type Explain, explain } from './trouble.js'
import { noteVersion } from './versions.js'

/** More than workers hold and work off in a moment. */
const MANY_MESSAGES = 10_000

const REFUSALS: Record<string, Explain> = {
  NOT_OPENED: ({ at, user, name, variable }) => ({
    found: `${at} knows user ${user} and does not open virtual host ${name}: there is none of this name, the user may not enter it, or it has all its connections`,
    advice: `correct the virtual host in ${variable}, or see \`rabbitmqctl list_vhosts\` and \`rabbitmqctl list_permissions -p ${name}\``
  })
}

/** @param notes is added to as answers come, so that what was found before a silence is kept */
export async function examineRabbitmq (notes: Notes, { url, address, env }: Where): Promise<void> {
  guardConnections()
  const cut = new AbortController()
  const socket = { noDelay: true, timeout: ANSWER_MS, signal: cut.signal }
  const open = async ({ url, servername }: BrokerNode) => await answered(amqplib.connect(url, servername === null ? socket : { ...socket, servername }))
  try {
    const nodes = await new BrokerNodes(url).inTurn()
    const { connection, node } = await openEach(notes, nodes, open, address)
    noteVersion(notes, String(connection.connection.serverProperties.version))
    for (const name of [INTAKE_EXCHANGE, EVENTS_EXCHANGE] as const) noteStanding(notes, `exchange ${name}`, await answered(inspectExchange(connection, name)))
    await noteQueue(notes, connection, ORDERS_QUEUE)
    await noteQueue(notes, connection, DEAD_QUEUE)
    await noteCluster(notes, env.AMQP_MANAGEMENT_URL, address.name, nodes.filter((node, at) => !isOtherFamily(node, nodes.slice(0, at))).length)
    await noteAlarm(notes, await open(node))
  } catch (error) {
    notes.trouble(explain(codeOf(error as Error), error, address, REFUSALS))
  } finally {
    cut.abort() // neither a silent nor an alarmed broker answers a close in order
  }
}

/** @returns the first that lets us in; of the others it is noted that they do not @throws what all fail with */
async function openEach (notes: Notes, nodes: readonly BrokerNode[], open: (node: BrokerNode) => Promise<ChannelModel>, address: Address): Promise<{ connection: ChannelModel, node: BrokerNode }> {
  const opened = await Promise.allSettled(nodes.map(async (node) => ({ connection: await open(node), node })))
  const inUse = opened.flatMap((one) => one.status === 'fulfilled' ? one.value : [])
  if (inUse.length === 0) throw (opened[0] as PromiseRejectedResult).reason
  notes.ok('connection', `virtual host ${address.name} at ${inUse.map(({ node }) => node.at).join(', ')} lets user ${address.user} in`)
  for (const [index, one] of opened.entries()) {
    if (one.status === 'fulfilled' || isOtherFamily(nodes[index]!, inUse.map(({ node }) => node))) continue
    const { found, advice } = explain(codeOf(one.reason as Error), one.reason, { ...address, at: nodes[index]!.at }, REFUSALS)
    notes.warn(`node ${nodes[index]!.at}`, `${found}; the others are used`, advice)
  }
  return inUse[0]!
}

/** The leader and the members of the queue of orders; AMQP itself tells of neither. */
async function noteCluster (notes: Notes, url: string | undefined, vhost: string, nodesInUrl: number): Promise<void> {
  const check = `members of ${ORDERS_QUEUE}`
  if (!url) {
    if (nodesInUrl > 1) notes.warn(check, 'not known: AMQP does not tell', 'set AMQP_MANAGEMENT_URL to look, or see `rabbitmq-queues quorum_status`')
    return
  }
  const management = new BrokerManagement(url)
  try {
    const [nodes, group] = await Promise.all([management.nodes(), management.queueGroup(vhost, ORDERS_QUEUE)])
    noteNodes(notes, nodes)
    if (group) noteGroup(notes, check, group, nodes)
  } catch (error) {
    notes.warn(check, `not known: ${(error as Error).message}`, 'correct AMQP_MANAGEMENT_URL; its user needs the tag monitoring')
  }
}

function noteNodes (notes: Notes, nodes: readonly ClusterNode[]): void {
  const [running, stopped] = [true, false].map((state) => nodes.filter((node) => node.running === state).map(({ name }) => name))
  if (stopped!.length > 0) notes.warn('cluster', `not running: ${stopped!.join(', ')}; running: ${running!.join(', ')}`, 'start them: with half of the nodes away the queue takes nothing')
  else notes.ok('cluster', `running: ${running!.join(', ')}`)
}

/** As many as a queue is given where the cluster has as many nodes (RabbitMQ, "Quorum Queues", initial group size). */
const MEMBERS = 3

function noteGroup (notes: Notes, check: string, { leader, members, online }: QueueGroup, nodes: readonly ClusterNode[]): void {
  const found = `${leader ?? 'no node'} leads ${members.toSorted().join(', ')}`
  const offline = members.filter((member) => !online.includes(member))
  if (leader === null) notes.wrong(check, `${found}: orders go by the fallback queue`, 'start the nodes that are away: more than half of the members elect a leader')
  else if (members.length < Math.min(MEMBERS, nodes.length)) notes.warn(check, `${found}: ${members.length} of ${nodes.length} nodes hold it, so that fewer may be lost than the cluster could`, '`rabbitmq-queues grow <node> all` adds a node to the queues')
  else if (offline.length > 0) notes.warn(check, `${found}; away: ${offline.join(', ')}`, 'start them')
  else notes.ok(check, found)
}

async function noteQueue (notes: Notes, connection: ChannelModel, name: QueueName): Promise<void> {
  const { standing, depth } = await answered(inspectQueue(connection, name))
  noteStanding(notes, `queue ${name}`, standing)
  if (depth) NOTE_DEPTH[name](notes, `messages in ${name}`, depth)
}

/** The queue of orders, as one finds it in a running process. */
export function noteQueueDepth (notes: Notes, depth: Depth): void {
  NOTE_DEPTH[ORDERS_QUEUE](notes, `messages in ${ORDERS_QUEUE}`, depth)
}

const NOTE_DEPTH: Record<QueueName, (notes: Notes, check: string, depth: Depth) => void> = {
  [ORDERS_QUEUE]: (notes, check, { messages, consumers }) => {
    const found = `${messages} ready, ${consumers} consumers`
    const age = messages === 0 ? '' : '; their age is not known: none is taken to look'
    if (consumers === 0) notes.add(messages === 0 ? 'warn' : 'wrong', check, `${found}: no worker takes orders${age}`, 'start a worker, or see its log and /readyz')
    else if (messages > MANY_MESSAGES) notes.warn(check, found + age, 'if it grows start more workers, and see whether Postgres is slow')
    else notes.ok(check, found + age)
  },
  [DEAD_QUEUE]: (notes, check, { messages, consumers }) => {
    const found = `${messages} ready, ${consumers} consumers`
    if (messages === 0) notes.ok(check, found)
    else notes.warn(check, `${found}: given up by the broker`, 'a worker parks them: start one, then see `comanda parked list`')
  }
}

function noteStanding (notes: Notes, check: string, standing: Standing): void {
  switch (standing.state) {
    case 'as_declared':
      return notes.ok(check, 'as this build declares it')
    case 'missing':
      return notes.warn(check, 'there is none yet', 'start any process: each declares it')
    case 'forbidden':
      return notes.ok(check, 'there; this user may not declare it, so its arguments are not compared')
    case 'different':
      return notes.wrong(check, `stands with another ${standing.argument}: ${standing.theirs}, this build declares ${standing.ours}`,
        'no process of this build takes or publishes orders there (the fallback queue takes them): empty it by the build that made it, then delete it; either process declares it anew')
  }
}

async function noteAlarm (notes: Notes, connection: ChannelModel): Promise<void> {
  try {
    const reason = await answered(findAlarm(connection))
    if (reason === null) notes.ok('alarm', 'none: messages are taken')
    else notes.wrong('alarm', `it takes no messages: ${reason}; orders go by the fallback queue`, 'free its memory or disk: `rabbitmq-diagnostics alarms` names which')
  } catch (error) {
    const { code } = error as { code?: number | string }
    if (code === 'SILENCE') throw error
    notes.warn('alarm', `not known: a message is published to tell, and ${code === 403 ? 'this user may not publish' : 'there is no exchange to take it'}`, 'see the findings above')
  }
}

/** amqplib tells what happens before a connection is open by text alone. */
function codeOf ({ message, code }: Error & { code?: unknown }): string | undefined {
  if (/ACCESS.REFUSED/.test(message)) return 'WRONG_PASSWORD'
  if (/Expected ConnectionOpenOk/.test(message)) return 'NOT_OPENED'
  if (/ETIMEDOUT/.test(message)) return 'SILENCE'
  if (/closed abruptly|Unexpected close/.test(message)) return 'CLOSED'
  return code === undefined ? undefined : String(code)
}
