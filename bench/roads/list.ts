import { serve } from '../players.js'
import type { Road } from '../road.js'

const WARM_UP = 200

export const list: Road = {
  name: 'list',
  title: ({ table }) => `GET /orders, first page of 20 among ${table.toLocaleString('en')}`,
  how: 'one connection, closed loop, as a customer who has six in ten of them; no worker runs',
  units: { 'latency, p50': 'ms', 'latency, p99': 'ms', answered: 'requests/s' },
  targets: ({ table }) => table < 1_000_000 ? [] : [{ figure: 'latency, p50', bound: 'at most', limit: 3 }],
  async prepare ({ options, comanda, load, tables }) {
    await tables.fill(options.table)
    await load.run({ url: comanda.url, connections: 1, token: await comanda.token(), seconds: 1, amount: WARM_UP, read: ['/orders'] })
  },
  async play (players) {
    const { options: { seconds }, comanda, api } = players
    const { items } = JSON.parse(await comanda.read('/orders')) as { items: unknown[] }
    if (items.length !== 20) throw new Error(`GET /orders: ${items.length} orders in place of 20`)
    const { latency_ms: latency, rate, per_second: perSecond } = await serve(players, api.pid, { url: comanda.url, connections: 1, token: await comanda.token(), seconds, read: ['/orders'] })
    return {
      figures: { 'latency, p50': latency.p50, 'latency, p99': latency.p99, answered: rate },
      latencies: { 'first page': latency.percentiles },
      over_time: { unit: 'requests/s', lines: { answered: perSecond } }
    }
  }
}
