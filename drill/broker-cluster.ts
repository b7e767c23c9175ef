import { join } from 'node:path'
import { rabbitAnswers } from '../local/answers.js'
import { runCommand } from '../local/command.js'
import { until } from '../local/processes.js'
import { startRabbitmq } from '../local/rabbitmq.js'
import { startInOrder } from '../local/rabbitmq-cluster.js'
import type { Running } from '../local/service.js'
import { ORDERS_QUEUE } from '../src/broker/topology.js'
import type { NodeLinks } from './node-links.js'
import { type DrillService, OwnService } from './own-service.js'

const COMMAND_LIMIT_MS = 30_000
const IN_STEP_LIMIT_MS = 60_000

/** Which node a fault is meant for. */
export type Part = 'leader' | 'follower'

interface Member { 'Node Name': string, 'Raft State': string }

/** Three nodes of the drill's own that form one cluster, as one service. */
export class BrokerCluster implements DrillService {
  readonly name = 'broker'
  readonly nodes: readonly OwnService[]
  readonly #links: NodeLinks
  /** Under a fault. */
  readonly #away = new Set<OwnService>()

  constructor (stateDir: string, env: NodeJS.ProcessEnv, links: NodeLinks) {
    this.#links = links
    this.nodes = links.members.map((member, index) => new OwnService('broker', async (port) =>
      await startRabbitmq({ stateDir: join(stateDir, 'rabbitmq', `node-${index + 1}`), env, member, ...(port === undefined ? {} : { port }) })))
  }

  /** A node that nothing is done to. */
  get running (): Running {
    return (this.nodes.find((node) => !this.#away.has(node)) ?? this.nodes[0]!).running
  }

  get url (): string {
    return this.running.url
  }

  async start (): Promise<void> {
    await startInOrder(this.#links.members, async (_member, index) => await this.nodes[index]!.start())
  }

  async kill (signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => await node.kill(signal)))
  }

  async stop (): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => await node.stop()))
  }

  /** @returns the index of the node that leads the queue of orders, or of one that follows */
  async find (part: Part): Promise<number> {
    const leader = (await this.#members()).find((member) => member['Raft State'] === 'leader')?.['Node Name']
    if (leader === undefined) throw new Error('the queue has no leader')
    return this.#links.members.findIndex(({ name }) => (name === leader) === (part === 'leader'))
  }

  /** Killed, and started again to heal it. */
  async killNode (index: number): Promise<() => Promise<void>> {
    const node = this.#take(index)
    await node.kill('SIGKILL')
    return async () => {
      await node.start()
      await this.#isBack(node)
    }
  }

  async pauseNode (index: number): Promise<() => Promise<void>> {
    const node = this.#take(index)
    await node.kill('SIGSTOP')
    return async () => {
      await node.kill('SIGCONT')
      await this.#isBack(node)
    }
  }

  /** Cut off from the other two, though not from its clients: the smaller side of a partition. */
  isolateNode (index: number): () => Promise<void> {
    const node = this.#take(index)
    this.#links.isolate(index)
    return async () => {
      this.#links.rejoin(index)
      await this.#isBack(node)
    }
  }

  /** Each is stopped in order and started again, once the queue can do without it. */
  async restartEach (): Promise<void> {
    for (const index of this.nodes.keys()) {
      const node = this.#take(index)
      await node.stop()
      await node.start()
      await this.#isBack(node)
    }
  }

  #take (index: number): OwnService {
    const node = this.nodes[index]!
    this.#away.add(node)
    return node
  }

  async #isBack (node: OwnService): Promise<void> {
    await until('the nodes are not in step', IN_STEP_LIMIT_MS, async () =>
      await rabbitAnswers(node.url, 1000) && (await this.#members().catch(() => [])).filter((member) => /^(leader|follower)$/.test(member['Raft State'])).length === this.nodes.length)
    this.#away.delete(node)
  }

  async #members (): Promise<Member[]> {
    const { control } = this.running
    if (control === undefined) throw new Error('no rabbitmq-queues')
    const command = control.command.replace(/rabbitmqctl$/, 'rabbitmq-queues')
    const asked = await runCommand(command, [...control.args, 'quorum_status', ORDERS_QUEUE, '--formatter', 'json'], { env: control.env, limitMs: COMMAND_LIMIT_MS })
    if (!asked.ok) throw new Error(`rabbitmq-queues: ${asked.stderr.trim()}`)
    return JSON.parse(asked.stdout.slice(asked.stdout.indexOf('['))) as Member[]
  }
}
