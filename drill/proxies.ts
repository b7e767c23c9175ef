import { urlOfAll } from '../local/rabbitmq-cluster.js'
import type { Cleanup } from '../testkit/cleanup.js'
import { Proxy } from '../testkit/proxy.js'
import { type Command, type Link, LINKS, type Service } from './faults.js'
import type { Clustered, DrillServices } from './services.js'

/** For each kind of process and service a proxy, or one for each server that the process may turn to. */
export type Proxies = Record<Link, readonly Proxy[]>

export async function openProxies (services: DrillServices, clustered: Clustered | null, cleanup: Cleanup): Promise<Proxies> {
  const opened = await Promise.all(LINKS.map(async (link) => {
    const proxies = await Promise.all(urlsOf(link, services, clustered).map(async (url) => await Proxy.open(url)))
    cleanup.add(`proxy ${link}`, () => { for (const proxy of proxies) proxy.close() })
    return [link, proxies] as const
  }))
  return Object.fromEntries(opened) as unknown as Proxies
}

/** Apis reach Postgres by one address that is led to the server in charge, workers and relays by the addresses of both. */
function urlsOf (link: Link, services: DrillServices, clustered: Clustered | null): string[] {
  const [command, service] = link.split('-') as [Command, Service]
  if (clustered === null || service === 'redis') return [services[service].url]
  if (service === 'broker') return clustered.broker.nodes.map(({ url }) => url)
  return command === 'api' ? [clustered.postgres.url] : clustered.postgres.urls
}

/** What a process is given to reach a service by its proxies. */
export function urlBy (proxies: readonly Proxy[], service: Service): string {
  const url = urlOfAll(proxies)
  return service === 'postgres' && proxies.length > 1 ? `${url}?target_session_attrs=read-write` : url
}
