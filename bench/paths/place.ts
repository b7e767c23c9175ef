import { peakMemory } from '../placing/proc.js'
import { partsOf, type Rig, serveApi, serveBare, withWorker } from '../placing/rig.js'
import { WholeCost } from '../placing/whole-cost.js'
import { LARGEST_MIB, fallbackNote, type Path } from './path.js'

/** The honest one: api, worker, load and all services share the machine, as when somebody really orders. */
export const place: Path = {
  name: 'place',
  title: ({ connections }) => `POST /orders, ${connections} connections`,
  how: 'closed loop, the worker running; bare Fastify: same body and response schema, same size of answer, no authentication, no log; one insert a request: that with a row committed before the answer; processor time of all: api, worker, load and services, until the last order is booked',
  units: {
    accepted: 'orders/s',
    'bare Fastify': 'requests/s',
    'latency, p50': 'ms',
    'latency, p99': 'ms',
    'one insert a request': 'orders/s',
    'processor time of all': 'us/order',
    'processor time of all, one insert a request': 'us/order',
    'processor time of all, over one insert a request': 'ratio',
    'of it, worker': 'us/order',
    'of it, Postgres': 'us/order',
    'of it, Redis': 'us/order',
    'of it, RabbitMQ': 'us/order',
    'processor time of the api': 'us/order',
    'processor time of bare Fastify': 'us/request',
    'load process, bare Fastify': 'cores',
    'api, largest resident size': 'MiB',
    'worker, largest resident size': 'MiB'
  },
  ratio: ['accepted', 'bare Fastify'],
  targets: ({ connections }) => [
    ...(connections === 256 ? [{ figure: 'ratio', bound: 'at least', limit: 0.5 } as const, { figure: 'processor time of all, over one insert a request', bound: 'at most', limit: 0.75 } as const] : []),
    { figure: 'api, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' },
    { figure: 'worker, largest resident size', bound: 'at most', limit: LARGEST_MIB, of: 'max' }
  ],
  async measure (rig) {
    const { settings: { connections, seconds }, tables } = rig
    await tables.empty()
    const naive = await placeNaively(rig)
    const { bare, api, cost, worker_mib: workerMib, by_fallback: byFallback } = await withWorker(rig, async (workers) => {
      const bare = await serveBare(rig, { connections, seconds })
      const begun = WholeCost.begin(partsOf(rig, workers))
      const api = await serveApi(rig, { connections, seconds })
      await workers.booked(api.accepted)
      const cost = begun.each(api.accepted)
      return { bare, api, cost, placed: api.accepted, sent: api.sent }
    })
    return {
      figures: {
        accepted: api.rate,
        'bare Fastify': bare.rate,
        'latency, p50': api.latency_ms.p50,
        'latency, p99': api.latency_ms.p99,
        'one insert a request': naive.rate,
        'processor time of all': cost?.all ?? null,
        'processor time of all, one insert a request': naive.cost,
        'processor time of all, over one insert a request': cost === null || naive.cost === null ? null : cost.all / naive.cost,
        ...Object.fromEntries(['worker', 'Postgres', 'Redis', 'RabbitMQ'].map((part) => [`of it, ${part}`, cost?.parts[part] ?? null])),
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

/** Warmed up first: a process that stood idle runs slower code. */
async function placeNaively ({ settings: { connections, seconds }, naive, load }: Rig): Promise<{ rate: number, cost: number | null }> {
  await naive.empty()
  const job = { url: `${naive.url}/orders`, connections, token: null }
  await load.run({ ...job, seconds: 1 })
  const cost = WholeCost.begin({ naive: [naive.pid], load: [load.pid] })
  const { rate, accepted } = await load.run({ ...job, seconds })
  return { rate, cost: cost.each(accepted)?.all ?? null }
}
