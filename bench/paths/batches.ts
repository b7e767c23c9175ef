import { BATCH_CONNECTIONS, placeBatches } from '../placing/batches.js'
import { peakMemory } from '../placing/proc.js'
import { fallbackNote, type Path } from './path.js'

/** Orders in one request. */
const BATCH = 100

export const batches: Path = {
  name: 'batches',
  title: () => `POST /orders/batch of ${BATCH}, ${BATCH_CONNECTIONS} connections`,
  how: 'closed loop, once with the worker running and once with it stopped; all that was answered 202 is then looked for in the tables',
  units: {
    accepted: 'orders/s',
    'accepted, worker stopped': 'orders/s',
    'latency of a request, p50': 'ms',
    'latency of a request, p99': 'ms',
    'processor time of the api': 'us/order',
    'api, largest resident size': 'MiB'
  },
  targets: () => [{ figure: 'accepted', bound: 'at least', limit: 50_000 }],
  async measure (rig) {
    const running = await placeBatches(rig, BATCH, { worker: true })
    const stopped = await placeBatches(rig, BATCH, { worker: false })
    const { latency_ms: latency } = running
    return {
      figures: {
        accepted: running.orders_rate,
        'accepted, worker stopped': stopped.orders_rate,
        'latency of a request, p50': latency.p50,
        'latency of a request, p99': latency.p99,
        'processor time of the api': running.cpu_us,
        'api, largest resident size': peakMemory(rig.api.pid)
      },
      latencies: { 'worker running': latency.percentiles, 'worker stopped': stopped.latency_ms.percentiles },
      over_time: { unit: 'orders/s', lines: { 'worker running': running.per_second.map((requests) => requests * BATCH), 'worker stopped': stopped.per_second.map((requests) => requests * BATCH) } },
      ...fallbackNote(running.by_fallback + stopped.by_fallback)
    }
  }
}
