import { latencyOf } from '../figures.js'
import { runArrivals } from '../load/arrivals.js'
import { type Heard, Listener } from '../load/listener.js'
import { cpuTime } from '../placing/proc.js'
import { withWorker } from '../placing/rig.js'
import { fallbackNote, type Path } from './path.js'

const WARM_UP_SECONDS = 2

export const heard: Path = {
  name: 'heard',
  title: ({ rate }) => `listeners at ${rate.toLocaleString('en')} orders/s`,
  how: 'open loop as in visible, a worker and a relay running; a process of its own consumes a quorum queue bound to the exchange and follows the stream as the customer; counted from the commit that settled an event, by the record that Postgres keeps of it',
  units: {
    'committed to consumer, p50': 'ms',
    'committed to consumer, p99': 'ms',
    'committed to stream, p50': 'ms',
    'committed to stream, p99': 'ms',
    'processor time of the relay': 'us/event'
  },
  targets: ({ rate }) => rate !== 1000
    ? []
    : (['consumer', 'stream'] as const).flatMap((way) => [
        { figure: `committed to ${way}, p50`, bound: 'at most', limit: 30 } as const,
        { figure: `committed to ${way}, p99`, bound: 'at most', limit: 200 } as const
      ]),
  async measure (rig) {
    const { settings: { seconds, rate }, environment: { databaseUrl, amqpUrl }, cleanup, comanda, tables } = rig
    await tables.empty()
    const token = await comanda.token()
    const job = { url: comanda.ordersUrl, token, databaseUrl, rate, seconds }
    const relay = await comanda.startRelay()
    const listener = await Listener.start({ amqpUrl, url: comanda.url, token }, cleanup)
    try {
      const { listened, cpu, by_fallback: byFallback } = await withWorker(rig, async () => {
        const warm = await runArrivals({ ...job, seconds: WARM_UP_SECONDS }, cleanup)
        await listener.heard(warm.orders)
        await listener.begin()
        const before = cpuTime(relay.pid)
        const run = await runArrivals(job, cleanup)
        const listened = await listener.heard(run.orders)
        const after = cpuTime(relay.pid)
        const orders = warm.orders + run.orders
        return { listened, cpu: before === null || after === null ? null : (after - before) / run.orders, placed: orders, sent: orders }
      })
      const commits = await tables.commits()
      if (commits === null) return { figures: {}, attention: 'not measured: this Postgres keeps no moments of commits (track_commit_timestamp)' }
      const since = (way: keyof Heard) => latencyOf(Float64Array.from(listened[way].map(([id, at]) => at - commits.get(id)!)))
      const [exchange, stream] = [since('exchange'), since('stream')]
      return {
        figures: {
          'committed to consumer, p50': exchange.p50,
          'committed to consumer, p99': exchange.p99,
          'committed to stream, p50': stream.p50,
          'committed to stream, p99': stream.p99,
          'processor time of the relay': cpu
        },
        latencies: { 'committed to consumer': exchange.percentiles, 'committed to stream': stream.percentiles },
        ...fallbackNote(byFallback)
      }
    } finally {
      await listener.stop()
      await relay.stop()
    }
  }
}
