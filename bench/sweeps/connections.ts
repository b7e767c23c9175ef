import { servePair, withWorker } from '../placing/rig.js'
import type { Sweep } from './sweep.js'

export const connections: Sweep = {
  name: 'connections',
  axis: 'connections',
  how: 'POST /orders, closed loop, the worker running; bare Fastify under the same load right before',
  points: [1, 4, 16, 64, 256, 1024],
  units: { accepted: 'orders/s', 'bare Fastify': 'orders/s', ratio: 'accepted / bare Fastify', p50: 'ms', p99: 'ms' },
  async measure (rig, point) {
    await rig.tables.empty()
    const { bare, api } = await withWorker(rig, async () => {
      const pair = await servePair(rig, { connections: point, seconds: rig.settings.seconds })
      return { ...pair, placed: pair.api.accepted, sent: pair.api.sent }
    })
    return { accepted: api.rate, 'bare Fastify': bare.rate, ratio: api.rate / bare.rate, p50: api.latency_ms.p50, p99: api.latency_ms.p99 }
  }
}
