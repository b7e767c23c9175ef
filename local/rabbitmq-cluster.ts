import { join } from 'node:path'
import { endEpmd } from './epmd.js'
import { freePort } from './ports.js'
import { startRabbitmq } from './rabbitmq.js'
import type { ClusterMember } from './rabbitmq-node.js'
import type { Env, Running } from './service.js'
import { makeFolder } from './state-folder.js'

export interface ClusterStart {
  /** The cluster's own folder, with one below it for each node. */
  readonly stateDir: string
  readonly env: Env
  readonly size?: number
  /** Whether each node serves the management API. */
  readonly management?: boolean
}

export interface RunningCluster {
  readonly nodes: readonly Running[]
  readonly members: readonly ClusterMember[]
  /** All nodes in one URL. */
  readonly url: string
  /** Of the first node; null where it was not asked for. */
  readonly managementUrl: string | null
  stop (): Promise<void>
}

/** Who they are, before any of them runs. @param epmdPort where the node of this index looks up names */
export async function planCluster ({ stateDir, size = 3, management = false }: ClusterStart, epmdPort: (index: number) => number): Promise<ClusterMember[]> {
  const clusterDir = makeFolder(stateDir)
  const nodes = Array.from({ length: size }, (_, index) => `comanda-${index + 1}@localhost`)
  return await Promise.all(nodes.map(async (name, index) => ({
    name, nodes, clusterDir, epmdPort: epmdPort(index), distPort: await freePort(), ...(management && { managementPort: await freePort() })
  })))
}

/** Starts the first, which makes the cluster, then the others, which join it. @param start of the node with this index */
export async function startInOrder<Node> (members: readonly ClusterMember[], start: (member: ClusterMember, index: number) => Promise<Node>): Promise<Node[]> {
  const [first, ...others] = members
  const made = await start(first!, 0)
  return [made, ...await Promise.all(others.map(async (member, index) => await start(member, index + 1)))]
}

/**
 * Starts RabbitMQ nodes of this folder's own on 127.0.0.1 that form one cluster: names, ports, folders and cookie are its own.
 * Takes 15 to 30 s. @throws Error as startRabbitmq does
 */
export async function startRabbitmqCluster (start: ClusterStart): Promise<RunningCluster> {
  const epmdPort = await freePort()
  const members = await planCluster(start, () => epmdPort)
  const nodes: Running[] = []
  const stop = async () => {
    await Promise.all(nodes.map(async node => await node.stop()))
    await endEpmd(epmdPort)
  }
  try {
    await startInOrder(members, async (member, index) => {
      nodes[index] = await startRabbitmq({ stateDir: join(start.stateDir, `node-${index + 1}`), env: start.env, member })
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, members, url: urlOfAll(nodes), managementUrl: managementUrlOf(members[0]!, nodes[0]!), stop }
}

/** One URL for several nodes of one login. */
export function urlOfAll (nodes: ReadonlyArray<Pick<Running, 'url'>>): string {
  const urls = nodes.map(({ url }) => new URL(url))
  return urls[0]!.href.replace(urls[0]!.host, urls.map(({ host }) => host).join(','))
}

function managementUrlOf ({ managementPort }: ClusterMember, { url }: Running): string | null {
  const { username, password } = new URL(url)
  return managementPort === undefined ? null : `http://${username}:${password}@127.0.0.1:${managementPort}`
}
