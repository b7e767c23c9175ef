import { type Rig, serve, withWorker } from '../placing/rig.js'
import type { Path } from './path.js'

/** Read in turn, so that it is not one key alone that Redis is asked for. */
const ORDERS = 100

/** A persisted view lives a minute in Redis; a load that lasts longer would read rows in between. */
export const read: Path = {
  name: 'read',
  title: ({ connections }) => `GET /orders/{id}, cached, ${connections} connections`,
  how: `closed loop over ${ORDERS} orders whose rows are written and whose views are in Redis; bare Fastify: a constant order of the same bytes through the same response schema`,
  units: {
    read: 'requests/s',
    'bare Fastify': 'requests/s',
    'latency, p50': 'ms',
    'latency, p99': 'ms',
    'processor time of the api': 'us/request',
    'processor time of bare Fastify': 'us/request',
    'load process, bare Fastify': 'cores'
  },
  ratio: ['read', 'bare Fastify'],
  targets: ({ connections, seconds }) => connections === 256 && seconds < 50 ? [{ figure: 'ratio', bound: 'at least', limit: 0.6 }] : [],
  async measure (rig) {
    const { settings: { connections, seconds }, comanda, api: { pid }, bare, tables } = rig
    await tables.empty()
    const { paths } = await withWorker(rig, async () => {
      const ids = await comanda.placeBatch(ORDERS)
      return { placed: ORDERS, sent: ORDERS, paths: ids.map((id) => `/orders/${id}`) }
    })
    await showTheSame(rig, paths[0]!)
    const ours = { url: comanda.url, connections, token: await comanda.token(), read: paths }
    const theirs = { ...ours, url: bare.url, token: null }
    for (const job of [theirs, ours]) await rig.load.run({ ...job, seconds: 1 }) // unmeasured: compiles
    const yardstick = await serve(rig, bare.pid, { ...theirs, seconds })
    const api = await serve(rig, pid, { ...ours, seconds })
    return {
      figures: {
        read: api.rate,
        'bare Fastify': yardstick.rate,
        'latency, p50': api.latency_ms.p50,
        'latency, p99': api.latency_ms.p99,
        'processor time of the api': api.cpu_us,
        'processor time of bare Fastify': yardstick.cpu_us,
        'load process, bare Fastify': yardstick.load_cpu
      },
      latencies: { api: api.latency_ms.percentiles, 'bare Fastify': yardstick.latency_ms.percentiles },
      over_time: { unit: 'requests/s', lines: { read: api.per_second, 'bare Fastify': yardstick.per_second } }
    }
  }
}

/** @throws Error when the bare server does not answer the very bytes of the api */
async function showTheSame ({ comanda, bare }: Rig, path: string): Promise<void> {
  const bytes = await comanda.read(path)
  await bare.show(JSON.parse(bytes))
  const answer = await fetch(`${bare.url}${path}`)
  if (await answer.text() !== bytes) throw new Error('bare Fastify answers other bytes than the api')
}
