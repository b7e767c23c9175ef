import { memory } from '../placing/proc.js'
import { type Rig, serve, withWorker } from '../placing/rig.js'
import { LARGEST_MIB, fallbackNote, type Path } from './path.js'

const SAMPLE_MS = 1000
const MINUTE = 60

/** In MiB, once a second. */
interface Sizes { api: number[], worker: number[] }

export const soak: Path = {
  name: 'soak',
  title: ({ soak: minutes, connections }) => `POST /orders at full load for ${minutes} min, ${connections} connections`,
  how: 'closed loop, the worker running; resident sizes once a second. Growth: the largest after the first minute less the largest within it',
  units: {
    accepted: 'orders/s',
    'api, largest resident size': 'MiB',
    'worker, largest resident size': 'MiB',
    'api, growth after the first minute': 'MiB',
    'worker, growth after the first minute': 'MiB'
  },
  targets: () => (['api', 'worker'] as const).map((name) => ({ figure: `${name}, largest resident size`, bound: 'at most', limit: LARGEST_MIB, of: 'max' })),
  rounds: 1,
  async measure (rig) {
    const sizes: Sizes = { api: [], worker: [] }
    await rig.tables.empty()
    const { rates, by_fallback: byFallback } = await withWorker(rig, async ({ pids: [worker] }) => {
      const sampling = setInterval(() => {
        sizes.api.push(memory(rig.api.pid) ?? Number.NaN)
        sizes.worker.push(memory(worker!) ?? Number.NaN)
      }, SAMPLE_MS)
      return await load(rig).finally(() => clearInterval(sampling))
    })
    return {
      figures: {
        accepted: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
        'api, largest resident size': Math.max(...sizes.api),
        'worker, largest resident size': Math.max(...sizes.worker),
        'api, growth after the first minute': growth(sizes.api),
        'worker, growth after the first minute': growth(sizes.worker)
      },
      over_time: { unit: 'MiB', lines: { api: sizes.api, worker: sizes.worker } },
      ...fallbackNote(byFallback)
    }
  }
}

/** A token lives 15 minutes: every minute takes a fresh one. */
async function load (rig: Rig): Promise<{ placed: number, sent: number, rates: number[] }> {
  const { settings: { soak: minutes, connections }, comanda, api } = rig
  const total = { placed: 0, sent: 0, rates: [] as number[] }
  for (let minute = 0; minute < minutes; minute++) {
    const { accepted, sent, rate } = await serve(rig, api.pid, { url: comanda.ordersUrl, token: await comanda.token(), connections, seconds: MINUTE })
    total.placed += accepted
    total.sent += sent
    total.rates.push(rate)
  }
  return total
}

function growth (sizes: readonly number[]): number | null {
  const after = sizes.slice(MINUTE)
  return after.length < MINUTE / 2 ? null : Math.max(...after) - Math.max(...sizes.slice(0, MINUTE))
}
