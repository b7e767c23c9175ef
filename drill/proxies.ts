import type { Cleanup } from '../testkit/cleanup.js'
import { Proxy } from '../testkit/proxy.js'
import { type Link, LINKS, type Service } from './faults.js'

/** One proxy for each kind of process and service. @param urls of the services */
export async function openProxies (urls: Record<Service, string>, cleanup: Cleanup): Promise<Record<Link, Proxy>> {
  const opened = await Promise.all(LINKS.map(async (link) => {
    const proxy = await Proxy.open(urls[link.split('-')[1] as Service])
    cleanup.add(`proxy ${link}`, () => proxy.close())
    return [link, proxy] as const
  }))
  return Object.fromEntries(opened) as Record<Link, Proxy>
}
