import { runArrivals } from '../load/arrivals.js'
import { withWorker } from '../placing/rig.js'
import { fallbackNote, type Path } from './path.js'

const WARM_UP_SECONDS = 2
/** Looks further apart than that blur what they look at. Milliseconds. */
const COARSE = 5

export const visible: Path = {
  name: 'visible',
  title: ({ rate }) => `end to end at ${rate.toLocaleString('en')} orders/s`,
  how: 'open loop: orders come by a schedule whatever becomes of the earlier ones, and are counted from when they were due (no coordinated omission); a row is visible when a select on a second connection returns it, asked about once a millisecond for what is outstanding. The looking shares the machine too, and every delay of the asking process counts against us',
  units: {
    'answer to row visible, p50': 'ms',
    'answer to row visible, p99': 'ms',
    'due to answer, p50': 'ms',
    'due to answer, p99': 'ms',
    'due to row visible, p50': 'ms',
    'due to row visible, p99': 'ms',
    'resolution (between two looks), p50': 'ms',
    'resolution (between two looks), p99': 'ms',
    'asking process': 'cores'
  },
  targets: ({ rate }) => rate !== 1000
    ? []
    : [
        { figure: 'answer to row visible, p50', bound: 'at most', limit: 5 },
        { figure: 'answer to row visible, p99', bound: 'at most', limit: 25 }
      ],
  async measure (rig) {
    const { settings: { seconds, rate }, environment: { databaseUrl }, cleanup, comanda, tables } = rig
    await tables.empty()
    const job = { url: comanda.ordersUrl, token: await comanda.token(), databaseUrl, rate, seconds }
    const { to_row_ms: toRow, answer_ms: answer, whole_way_ms: whole, resolution_ms: looks, asking_cpu: cpu, by_fallback: byFallback } = await withWorker(rig, async () => {
      const warm = await runArrivals({ ...job, seconds: WARM_UP_SECONDS }, cleanup)
      const run = await runArrivals(job, cleanup)
      const orders = warm.orders + run.orders
      return { ...run, placed: orders, sent: orders }
    })
    const both = (what: string, { p50, p99 }: { p50: number, p99: number }) => ({ [`${what}, p50`]: p50, [`${what}, p99`]: p99 })
    return {
      figures: {
        ...both('answer to row visible', toRow),
        ...both('due to answer', answer),
        ...both('due to row visible', whole),
        ...both('resolution (between two looks)', looks),
        'asking process': cpu
      },
      latencies: { 'answer to row visible': toRow.percentiles, 'due to answer': answer.percentiles, 'due to row visible': whole.percentiles },
      ...(looks.p50 > COARSE ? { attention: `half of the looks came more than ${looks.p50.toFixed(1)} ms apart: rows were there earlier than they were seen` } : fallbackNote(byFallback))
    }
  }
}
