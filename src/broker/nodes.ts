import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { urlsOf } from '../addresses/service-urls.js'
import { inTime } from '../time/in-time.js'

/** As AMQP_URL names it; where it names none, RabbitMQ's default. */
export function virtualHostOf (url: string): string {
  return decodeURIComponent(new URL(urlsOf(url)[0]!).pathname.slice(1)) || '/'
}

/** A name server that is silent holds the resolver for much longer. */
const LOOKUP_MS = 2000

/** One address at which the broker may be reached. */
export interface BrokerNode {
  /** Host and port, as people know it. */
  at: string
  /** Of this address alone. */
  url: string
  /** The name that its certificate is to have; null where the URL holds an address. */
  servername: string | null
}

/**
 * The nodes that AMQP_URL leads to: every host in it, and every address that a host's name has at the moment (a headless service
 * of Kubernetes has one for each). They are tried in turn, first from a random one on, so that many processes spread over a
 * cluster; the one that was tried last, and so the one that failed or was lost, comes last.
 */
export class BrokerNodes {
  readonly #urls: readonly URL[]
  readonly #first: number
  readonly #tried = new Map<string, number>()
  #tries = 0

  /** @param random from 0 to 1, chooses the first */
  constructor (url: string, random: () => number = Math.random) {
    this.#urls = urlsOf(url).map((one) => new URL(one))
    this.#first = random()
  }

  /**
   * What `open` makes of the first node that lets it.
   * @param signal no further node is tried once it is aborted
   * @throws what it failed with; where several were tried, one error that has the reason of each
   */
  async open<T> (open: (node: BrokerNode) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const failures: Array<{ node: BrokerNode, error: Error }> = []
    for (const node of await this.inTurn()) {
      if (signal?.aborted) break
      this.#tried.set(node.at, ++this.#tries)
      try {
        return await open(node)
      } catch (error) {
        failures.push({ node, error: error as Error })
      }
    }
    if (failures.length === 1) throw failures[0]!.error
    throw new Error(`no node can be used: ${failures.map(({ node, error }) => `${node.at}: ${error.message || (error as { code?: string }).code}`).join('; ')}`)
  }

  /** All of them, the next to be tried first. @throws where no name has an address, as the resolver says it */
  async inTurn (): Promise<BrokerNode[]> {
    const found = await Promise.allSettled(this.#urls.map(addressesOf))
    const nodes = found.flatMap((one) => one.status === 'fulfilled' ? one.value : [])
    if (nodes.length === 0) throw (found[0] as PromiseRejectedResult).reason
    const from = Math.floor(this.#first * nodes.length)
    const lastTried = ({ at }: BrokerNode) => this.#tried.get(at) ?? 0
    return [...nodes.slice(from), ...nodes.slice(0, from)].sort((a, b) => lastTried(a) - lastTried(b))
  }
}

/**
 * Whether it is one of `others` by another family of addresses: a name that has both, as `localhost`, is one node, and is often
 * served by one of them alone.
 */
export function isOtherFamily (node: BrokerNode, others: readonly BrokerNode[]): boolean {
  const isIpv6 = ({ url }: BrokerNode) => new URL(url).hostname.startsWith('[')
  return node.servername !== null && others.some((other) => other.servername === node.servername && isIpv6(other) !== isIpv6(node))
}

async function addressesOf (url: URL): Promise<BrokerNode[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return [{ at: url.host, url: url.href, servername: null }]
  const addresses = await inTime(lookup(host, { all: true }), LOOKUP_MS)
  return addresses.map(({ address, family }) => {
    const one = new URL(url)
    one.hostname = family === 6 ? `[${address}]` : address
    return { at: addresses.length === 1 ? url.host : `${one.host} (${host})`, url: one.href, servername: host }
  })
}
