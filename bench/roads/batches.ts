import { BATCH_CONNECTIONS, placeBatches } from '../placing.js'
import { peakMemory } from '../proc.js'
import { outboxNote, type Road } from '../road.js'

/** Orders in one request. */
const BATCH = 100

export const batches: Road = {
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
  async play (players) {
    const running = await placeBatches(players, BATCH, { worker: true })
    const stopped = await placeBatches(players, BATCH, { worker: false })
    const { latency_ms: latency } = running
    return {
      figures: {
        accepted: running.orders_rate,
        'accepted, worker stopped': stopped.orders_rate,
        'latency of a request, p50': latency.p50,
        'latency of a request, p99': latency.p99,
        'processor time of the api': running.cpu_us,
        'api, largest resident size': peakMemory(players.api.pid)
      },
      latencies: { 'worker running': latency.percentiles, 'worker stopped': stopped.latency_ms.percentiles },
      over_time: { unit: 'orders/s', lines: { 'worker running': running.per_second.map((requests) => requests * BATCH), 'worker stopped': stopped.per_second.map((requests) => requests * BATCH) } },
      ...outboxNote(running.by_outbox + stopped.by_outbox)
    }
  }
}
