import type { LoggedProcess } from '../../testkit/processes.js'
import { type Rig, serve, type Served } from '../placing/rig.js'
import type { Path } from './path.js'

/** What an operator can still take away: then only warnings are written, and nothing is counted. */
const QUIET = { LOG_LEVEL: 'warn', METRICS: 'off' }
const WARM_UP_SECONDS = 2

interface Side { api: LoggedProcess, url: string, env: Record<string, string> }

/** What it costs to be seen. Two apis started alike. */
export const seen: Path = {
  name: 'seen',
  title: ({ connections }) => `POST /orders, ${connections} connections, log lines and metrics on or off`,
  how: 'closed loop as in place, a worker running that is set as the api is; off: LOG_LEVEL=warn and METRICS=off; in each round on, off, off, on, each driven for two seconds before it counts',
  units: {
    on: 'orders/s',
    off: 'orders/s',
    'processor time of the api, on': 'us/order',
    'processor time of the api, off': 'us/order'
  },
  ratio: ['on', 'off'],
  targets: ({ connections }) => connections === 256 ? [{ figure: 'ratio', bound: 'at least', limit: 0.95 }] : [],
  async measure (rig) {
    const sides = { on: await start(rig, {}), off: await start(rig, QUIET) }
    const served = { on: [] as Served[], off: [] as Served[] }
    for (const which of ['on', 'off', 'off', 'on'] as const) served[which].push(await placeWith(rig, sides[which]))
    for (const { api } of Object.values(sides)) await api.stop()
    return {
      figures: {
        on: mean(served.on, ({ rate }) => rate),
        off: mean(served.off, ({ rate }) => rate),
        'processor time of the api, on': mean(served.on, ({ cpu_us: cpu }) => cpu),
        'processor time of the api, off': mean(served.off, ({ cpu_us: cpu }) => cpu)
      },
      over_time: { unit: 'orders/s', lines: { on: served.on[0]!.per_second, off: served.off[0]!.per_second } }
    }
  }
}

async function start ({ comanda }: Rig, env: Record<string, string>): Promise<Side> {
  return { ...await comanda.startAnotherApi(env), env }
}

/**
 * An api that stood idle has given back memory and forgotten compiled code: it is driven unmeasured first, or the side that
 * comes second in a row would win. A worker that writes no lines tells of no batches: the table does.
 */
async function placeWith (rig: Rig, { api, url, env }: Side): Promise<Served> {
  const { settings: { connections, seconds }, comanda, tables } = rig
  await tables.empty()
  const { worker, ready } = await comanda.startWorker(env)
  await ready()
  const job = { url: `${url}/orders`, connections, token: await comanda.token() }
  const before = await serve(rig, api.pid, { ...job, seconds: WARM_UP_SECONDS })
  const served = await serve(rig, api.pid, { ...job, seconds })
  await tables.settle(before.accepted + served.accepted)
  await worker.stop()
  await tables.expectOrders({ least: before.accepted + served.accepted, most: before.sent + served.sent })
  return served
}

function mean (served: readonly Served[], figure: (one: Served) => number | null): number | null {
  const values = served.map(figure)
  return values.includes(null) ? null : values.reduce<number>((sum, value) => sum + value!, 0) / values.length
}
