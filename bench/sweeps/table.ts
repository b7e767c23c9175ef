import { placeBacklog } from '../placing/backlog.js'
import { drain } from '../placing/drain.js'
import { serve, withWorker } from '../placing/rig.js'
import type { Sweep } from './sweep.js'

/** Filled anew for every round; a larger one once, for what a round adds is little beside it. */
const CHEAP = 100_000

export const table: Sweep = {
  name: 'table',
  axis: 'orders in the table',
  how: 'over tables filled with orders and their events: the first page of 20 over one connection, as a customer who has six in ten of them; then POST /orders, the worker running; then the drain of a backlog',
  points: [10_000, 100_000, 1_000_000, 10_000_000],
  units: { 'first page, p50': 'ms', 'first page, p99': 'ms', accepted: 'orders/s', drained: 'orders/s' },
  async prepare ({ tables }, point) {
    if (point > CHEAP) await tables.fill(point, { events: true })
  },
  async measure (rig, point) {
    const { settings: { connections, seconds, orders }, comanda, api, tables } = rig
    if (point <= CHEAP) await tables.fill(point, { events: true })
    const page = await serve(rig, api.pid, { url: comanda.url, token: await comanda.token(), connections: 1, seconds, read: ['/orders'] })
    await tables.keep()
    const token = await comanda.token()
    const placed = await withWorker(rig, async () => {
      const served = await serve(rig, api.pid, { url: comanda.ordersUrl, token, connections, seconds })
      return { ...served, placed: served.accepted, sent: served.sent }
    })
    await tables.keep()
    await placeBacklog(rig)
    const { rate } = await drain(comanda, tables, orders)
    return { 'first page, p50': page.latency_ms.p50, 'first page, p99': page.latency_ms.p99, accepted: placed.rate, drained: rate }
  }
}
