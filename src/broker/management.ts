import { QUEUE_NAMES } from './topology.js'

/**
 * What AMQP does not tell: the cluster behind the node that one is connected to. Asked of RabbitMQ's management API
 * (its plugin's HTTP API, `GET /api/nodes` and `GET /api/queues/{vhost}/{name}`), whose user needs the tag `monitoring`.
 */
export interface QueueGroup {
  /** The node that orders all that happens to the queue; null while there is none. */
  leader: string | null
  /** The nodes that hold its messages. */
  members: string[]
  /** Those of them that take part now. */
  online: string[]
}

export interface ClusterNode { name: string, running: boolean }

const ANSWER_MS = 2000

export class BrokerManagement {
  readonly #origin: string
  readonly #headers: Record<string, string>

  /** @param url `http://user:password@host:15672`; a path in front of `/api` is kept */
  constructor (url: string) {
    const { origin, pathname, username, password } = new URL(url)
    this.#origin = origin + pathname.replace(/\/$/, '')
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.#headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
  }

  /** @throws Error when the API does not answer, or refuses this user */
  async nodes (): Promise<ClusterNode[]> {
    const nodes = await this.#get('/api/nodes?columns=name,running') as ClusterNode[]
    return nodes.map(({ name, running }) => ({ name, running }))
  }

  /** @param vhost as it is called, not encoded @returns null where there is no such queue @throws as above */
  async queueGroup (vhost: string, queue: string): Promise<QueueGroup | null> {
    const found = await this.#get(`/api/queues/${encodeURIComponent(vhost)}/${encodeURIComponent(queue)}`) as Partial<QueueGroup> | null
    return found && { leader: found.leader || null, members: found.members ?? [], online: found.online ?? [] }
  }

  /** Of all queues of the topology that are there, by their names. @throws as above */
  async queueGroups (vhost: string): Promise<Record<string, QueueGroup>> {
    const groups = await Promise.all(QUEUE_NAMES.map(async (name) => [name, await this.queueGroup(vhost, name)] as const))
    return Object.fromEntries(groups.flatMap(([name, group]) => group ? [[name, group]] : []))
  }

  async #get (path: string): Promise<unknown> {
    const answer = await fetch(this.#origin + path, { headers: this.#headers, redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) })
      .catch((error: Error) => { throw (error.cause instanceof Error ? error.cause : error) })
    if (answer.status === 404) return null
    if (!answer.ok) throw new Error(`the management API answered ${answer.status}`)
    return await answer.json()
  }
}
