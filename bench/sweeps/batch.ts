import { BATCH_CONNECTIONS, placeBatches } from '../placing/batches.js'
import type { Sweep } from './sweep.js'

export const batch: Sweep = {
  name: 'batch',
  axis: 'orders in a request',
  how: `POST /orders/batch over ${BATCH_CONNECTIONS} connections, closed loop, the worker running and stopped`,
  points: [1, 10, 100, 500],
  units: { accepted: 'orders/s', 'accepted, worker stopped': 'orders/s', 'p50 of a request': 'ms', 'p99 of a request': 'ms', 'processor time of the api': 'us/order' },
  async measure (rig, point) {
    const running = await placeBatches(rig, point, { worker: true })
    const stopped = await placeBatches(rig, point, { worker: false })
    return {
      accepted: running.orders_rate,
      'accepted, worker stopped': stopped.orders_rate,
      'p50 of a request': running.latency_ms.p50,
      'p99 of a request': running.latency_ms.p99,
      'processor time of the api': running.cpu_us ?? Number.NaN
    }
  }
}
