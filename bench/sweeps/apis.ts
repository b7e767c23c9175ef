import { Load, type LoadResult } from '../load/load.js'
import { type Rig, withWorker } from '../placing/rig.js'
import type { Sweep } from './sweep.js'

interface Side { url: string, load: Load }

/** Started when first needed, and kept. */
let second: Side | null = null

export const apis: Sweep = {
  name: 'apis',
  axis: 'api processes',
  how: 'POST /orders, closed loop, the worker running; each api on a port of its own with an even share of the connections, from a load process of its own',
  points: [1, 2],
  units: { accepted: 'orders/s', p50: 'ms', p99: 'ms' },
  async measure (rig, point) {
    const { settings: { connections, seconds }, comanda, load, tables } = rig
    const sides: Side[] = [{ url: comanda.ordersUrl, load }]
    if (point > 1) sides.push(second ??= await another(rig))
    await tables.empty()
    const token = await comanda.token()
    const { results } = await withWorker(rig, async () => {
      const results = await Promise.all(sides.map((side) => side.load.run({ url: side.url, connections: Math.ceil(connections / point), seconds, token })))
      return { results, placed: sum(results, 'accepted'), sent: sum(results, 'sent') }
    })
    const worst = (name: 'p50' | 'p99') => Math.max(...results.map(({ latency_ms: latency }) => latency[name]))
    return { accepted: sum(results, 'rate'), p50: worst('p50'), p99: worst('p99') }
  }
}

async function another (rig: Rig): Promise<Side> {
  const { settings: { connections }, comanda, cleanup, tables } = rig
  const { url } = await comanda.startAnotherApi()
  const side = { url: `${url}/orders`, load: new Load(cleanup) }
  const token = await comanda.token()
  await tables.empty()
  await withWorker(rig, async () => {
    const { accepted, sent } = await side.load.run({ url: side.url, connections, seconds: 2, token }) // unmeasured: compiles
    return { placed: accepted, sent }
  })
  return side
}

function sum (results: readonly LoadResult[], name: 'accepted' | 'sent' | 'rate'): number {
  return results.reduce((total, result) => total + result[name], 0)
}
