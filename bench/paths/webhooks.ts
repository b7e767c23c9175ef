import { setTimeout as wait } from 'node:timers/promises'
import { Receiver } from '../load/receiver.js'
import { cpuTime, peakMemory } from '../placing/proc.js'
import type { Rig } from '../placing/rig.js'
import { forkScript, nextMessage } from '../script.js'
import { LARGEST_MIB, type Path } from './path.js'

/** Fifteen thousand of them are of the bench's own user: with seven endpoints 105,000 deliveries. */
const ORDERS = 25_000
const ENDPOINTS = 7
/** Of one endpoint, as in src/relay/webhook-deliverer.ts. */
const SHARE = 8
const BARE_POSTS = 20_000
const POLL_MS = 50
const STANDSTILL_MS = 30_000

export const webhooks: Path = {
  name: 'webhooks',
  title: () => `delivering to ${ENDPOINTS} webhooks`,
  how: `${ENDPOINTS} endpoints of one customer are told the whole of a feed by one relay, ${SHARE} calls of each at once, all due when it begins; their receiver is a process of its own that answers 204; bare POSTs: as many at once, of an event's size, to the same receiver by the same client, right after it`,
  units: {
    delivered: 'deliveries/s',
    'bare POSTs': 'calls/s',
    'processor time of the relay': 'us/delivery',
    'processor time of a bare POST': 'us/call',
    'relay, largest resident size': 'MiB'
  },
  ratio: ['delivered', 'bare POSTs'],
  targets: () => [{ figure: 'relay, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' }],
  async measure (rig) {
    const { cleanup, comanda, tables } = rig
    await tables.fill(ORDERS, { events: true })
    const receiver = await Receiver.start(cleanup)
    try {
      const own = await tables.eventsOfBench()
      await comanda.registerWebhooks(ENDPOINTS, `${receiver.url}/hook`)
      const figures = await deliverAll(rig, receiver, own * ENDPOINTS)
      const bare = await barePosts(rig, receiver.url)
      return { figures: { ...figures, 'bare POSTs': bare.rate, 'processor time of a bare POST': bare.cpu_us } }
    } finally {
      receiver.stop()
      await tables.empty()
    }
  }
}

/** @throws Error when it stands still */
async function deliverAll ({ comanda }: Rig, receiver: Receiver, deliveries: number): Promise<Record<string, number | null>> {
  const relay = await comanda.startRelay({ ready: false })
  try {
    let last = { calls: 0, at: performance.now() }
    let first = last
    while (last.calls < deliveries) {
      await wait(POLL_MS)
      const now = { calls: await receiver.calls(), at: performance.now() }
      if (now.calls > last.calls) last = now
      else if (now.at - last.at > STANDSTILL_MS) throw new Error(`${now.calls} of ${deliveries} deliveries came, and no more do`)
      if (first.calls === 0) first = last
    }
    const cpu = cpuTime(relay.pid)
    return {
      delivered: (last.calls - first.calls) / (last.at - first.at) * 1000,
      'processor time of the relay': cpu === null ? null : cpu / deliveries,
      'relay, largest resident size': peakMemory(relay.pid)
    }
  } finally {
    await relay.stop()
  }
}

async function barePosts ({ cleanup }: Rig, url: string): Promise<{ rate: number, cpu_us: number }> {
  const child = forkScript('yardsticks/bare-posts.ts', cleanup)
  const result = nextMessage<{ rate: number, cpu_us: number, error?: string }>(child)
  child.send({ url, posts: BARE_POSTS, atOnce: ENDPOINTS * SHARE })
  const { error, ...bare } = await result
  child.kill('SIGKILL')
  if (error !== undefined) throw new Error(error)
  return bare
}
