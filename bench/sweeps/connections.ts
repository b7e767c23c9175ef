import { servePair, withWorker } from '../players.js'
import type { Sweep } from '../sweep.js'

export const connections: Sweep = {
  name: 'connections',
  axis: 'connections',
  how: 'POST /orders, closed loop, the worker running; bare Fastify under the same load right before',
  points: [1, 4, 16, 64, 256, 1024],
  units: { accepted: 'orders/s', 'bare Fastify': 'orders/s', ratio: 'accepted / bare Fastify', p50: 'ms', p99: 'ms' },
  async measure (players, point) {
    await players.tables.empty()
    const { bare, api } = await withWorker(players, async () => {
      const pair = await servePair(players, { connections: point, seconds: players.options.seconds })
      return { ...pair, placed: pair.api.accepted, sent: pair.api.sent }
    })
    return { accepted: api.rate, 'bare Fastify': bare.rate, ratio: api.rate / bare.rate, p50: api.latency_ms.p50, p99: api.latency_ms.p99 }
  }
}
