import { serve } from '../placing/rig.js'
import type { Path } from './path.js'

const WARM_UP = 200

export const list: Path = {
  name: 'list',
  title: ({ table }) => `GET /orders, first page of 20 among ${table.toLocaleString('en')}`,
  how: 'one connection, closed loop, as a customer who has six in ten of them; no worker runs',
  units: { 'latency, p50': 'ms', 'latency, p99': 'ms', answered: 'requests/s' },
  targets: ({ table }) => table < 1_000_000 ? [] : [{ figure: 'latency, p50', bound: 'at most', limit: 3 }],
  async prepare ({ settings, comanda, load, tables }) {
    await tables.fill(settings.table)
    await load.run({ url: comanda.url, connections: 1, token: await comanda.token(), seconds: 1, amount: WARM_UP, read: ['/orders'] })
  },
  async measure (rig) {
    const { settings: { seconds }, comanda, api } = rig
    const { items } = JSON.parse(await comanda.read('/orders')) as { items: unknown[] }
    if (items.length !== 20) throw new Error(`GET /orders: ${items.length} orders in place of 20`)
    const { latency_ms: latency, rate, per_second: perSecond } = await serve(rig, api.pid, { url: comanda.url, connections: 1, token: await comanda.token(), seconds, read: ['/orders'] })
    return {
      figures: { 'latency, p50': latency.p50, 'latency, p99': latency.p99, answered: rate },
      latencies: { 'first page': latency.percentiles },
      over_time: { unit: 'requests/s', lines: { answered: perSecond } }
    }
  }
}
