import { join } from 'node:path'
import { planCluster } from '../local/rabbitmq-cluster.js'
import type { ClusterMember } from '../local/rabbitmq-node.js'
import type { Cleanup } from '../testkit/cleanup.js'
import { PortMapper } from '../testkit/port-mapper.js'
import { Proxy } from '../testkit/proxy.js'

/** The ways between the nodes of a cluster: each reaches each other one through a proxy of its own. */
export interface NodeLinks {
  members: ClusterMember[]
  /** Whatever this node and the others say to each other is lost. */
  isolate (index: number): void
  rejoin (index: number): void
}

/** Plans a cluster whose nodes find each other through proxies only. @param stateDir of the cluster */
export async function openNodeLinks (stateDir: string, env: NodeJS.ProcessEnv, cleanup: Cleanup): Promise<NodeLinks> {
  const size = 3
  const ways: Proxy[][] = Array.from({ length: size }, () => [])
  const names: string[] = []
  const mappers = await Promise.all(ways.map(async (from) => {
    const mapper = await PortMapper.open((name) => {
      const way = from[names.indexOf(name)]
      return way === undefined ? null : Number(new URL(way.url).port)
    })
    cleanup.add('port mapper', () => mapper.close())
    return mapper
  }))
  const members = await planCluster({ stateDir: join(stateDir, 'rabbitmq'), env, size }, (index) => mappers[index]!.port)
  names.push(...members.map(({ name }) => name.split('@')[0]!))
  for (const [from, row] of ways.entries()) {
    for (const [to, { distPort }] of members.entries()) {
      if (from === to) continue
      const proxy = await Proxy.open(`tcp://127.0.0.1:${distPort}`)
      cleanup.add(`way from node ${from + 1} to ${to + 1}`, () => proxy.close())
      row[to] = proxy
    }
  }
  const waysOf = (index: number) => ways.flatMap((row, from) => row.filter((way, to) => way !== undefined && (from === index || to === index)))
  return {
    members,
    isolate: (index) => { for (const way of waysOf(index)) way.mode = 'silent' },
    rejoin: (index) => {
      for (const way of waysOf(index)) {
        way.mode = 'pass'
        way.cutLossy()
      }
    }
  }
}
