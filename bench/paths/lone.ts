import { serve, withWorker } from '../placing/rig.js'
import { bareConfirms } from '../yardsticks/bare-confirm.js'
import type { Path } from './path.js'

const WARM_UP = 500

export const lone: Path = {
  name: 'lone',
  title: () => 'POST /orders, 1 connection',
  how: 'closed loop, the worker running; beside one bare confirmed publish at a time, of as large a message, to a quorum queue of the same broker, while no worker runs',
  units: {
    'latency, p50': 'ms',
    'bare confirm, p50': 'ms',
    'latency, p99': 'ms',
    'bare confirm, p99': 'ms',
    'latency, worker stopped, p50': 'ms',
    accepted: 'orders/s'
  },
  ratio: ['latency, p50', 'bare confirm, p50'],
  targets: () => [{ figure: 'ratio', bound: 'at most', limit: 1.5 }],
  async measure (rig) {
    const { settings: { seconds }, environment, comanda, api, load, tables } = rig
    const job = { url: comanda.ordersUrl, connections: 1, token: await comanda.token(), seconds }
    await tables.empty()
    const bare = await bareConfirms(environment.amqpUrl, seconds)
    const running = await withWorker(rig, async () => {
      const warm = await load.run({ ...job, amount: WARM_UP })
      const served = await serve(rig, api.pid, job)
      return { ...served, placed: warm.accepted + served.accepted, sent: warm.sent + served.sent }
    })
    await tables.empty()
    const stopped = await serve(rig, api.pid, job)
    await withWorker(rig, async () => ({ placed: stopped.accepted, sent: stopped.sent }))
    return {
      figures: {
        'latency, p50': running.latency_ms.p50,
        'bare confirm, p50': bare.p50,
        'latency, p99': running.latency_ms.p99,
        'bare confirm, p99': bare.p99,
        'latency, worker stopped, p50': stopped.latency_ms.p50,
        accepted: running.rate
      },
      latencies: { 'worker running': running.latency_ms.percentiles, 'worker stopped': stopped.latency_ms.percentiles, 'bare confirm': bare.percentiles }
    }
  }
}
