import type { Environment } from './environment.js'
import type { Fault, Heal } from './faults.js'
import type { Part } from './broker-cluster.js'

/** Does a fault that only a cluster can have. @returns as `inject`; undefined: it is none of these */
export async function injectIntoCluster ({ target, subject, kind }: Fault, { clustered, proxies }: Environment): Promise<Heal | null | undefined> {
  if (clustered === null) return undefined
  const { broker, postgres } = clustered
  switch (`${target} ${kind}`) {
    case 'broker kill_node':
      return await broker.killNode(await broker.find(subject as Part))
    case 'broker pause_node':
      return await broker.pauseNode(await broker.find(subject as Part))
    case 'broker isolate_node':
      return broker.isolateNode(await broker.find(subject as Part))
    case 'broker rolling_restart':
      await broker.restartEach()
      return null
    case 'postgres fail_over':
      await postgres.failOver()
      // the switch in front of the apis; workers and relays find the leading one by themselves
      for (const proxy of proxies['api-postgres']) proxy.lead(postgres.url)
      return null
    default:
      return undefined
  }
}
