import { peakMemory } from '../placing/proc.js'
import { servePair, withWorker } from '../placing/rig.js'
import { LARGEST_MIB, fallbackNote, type Path } from './path.js'

/** The honest one: api, worker, load and all services share the machine, as when somebody really orders. */
export const place: Path = {
  name: 'place',
  title: ({ connections }) => `POST /orders, ${connections} connections`,
  how: 'closed loop, the worker running; bare Fastify: same body and response schema, same size of answer, no authentication, no log',
  units: {
    accepted: 'orders/s',
    'bare Fastify': 'requests/s',
    'latency, p50': 'ms',
    'latency, p99': 'ms',
    'processor time of the api': 'us/order',
    'processor time of bare Fastify': 'us/request',
    'load process, bare Fastify': 'cores',
    'api, largest resident size': 'MiB',
    'worker, largest resident size': 'MiB'
  },
  ratio: ['accepted', 'bare Fastify'],
  targets: ({ connections }) => [
    ...(connections === 256 ? [{ figure: 'ratio', bound: 'at least', limit: 0.5 } as const] : []),
    { figure: 'api, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' },
    { figure: 'worker, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' }
  ],
  async measure (rig) {
    const { settings: { connections, seconds }, tables } = rig
    await tables.empty()
    const { bare, api, worker_mib: workerMib, by_fallback: byFallback } = await withWorker(rig, async () => {
      const pair = await servePair(rig, { connections, seconds })
      return { ...pair, placed: pair.api.accepted, sent: pair.api.sent }
    })
    return {
      figures: {
        accepted: api.rate,
        'bare Fastify': bare.rate,
        'latency, p50': api.latency_ms.p50,
        'latency, p99': api.latency_ms.p99,
        'processor time of the api': api.cpu_us,
        'processor time of bare Fastify': bare.cpu_us,
        'load process, bare Fastify': bare.load_cpu,
        'api, largest resident size': peakMemory(rig.api.pid),
        'worker, largest resident size': workerMib
      },
      latencies: { api: api.latency_ms.percentiles, 'bare Fastify': bare.latency_ms.percentiles },
      over_time: { unit: 'a second', lines: { accepted: api.per_second, 'bare Fastify': bare.per_second } },
      ...fallbackNote(byFallback)
    }
  }
}
