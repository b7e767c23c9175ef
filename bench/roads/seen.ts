import type { Child } from '../child.js'
import { type Players, serve, type Served } from '../players.js'
import type { Road } from '../road.js'

/** What an operator can still take away: then only warnings are written, and nothing is counted. */
const QUIET = { LOG_LEVEL: 'warn', METRICS: 'off' }
const WARM_UP_SECONDS = 2

interface Side { api: Child, url: string, env: Record<string, string> }

/** What it costs to be seen. Two apis started alike. */
export const seen: Road = {
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
  async play (players) {
    const sides = { on: await start(players, {}), off: await start(players, QUIET) }
    const played = { on: [] as Served[], off: [] as Served[] }
    for (const which of ['on', 'off', 'off', 'on'] as const) played[which].push(await placeWith(players, sides[which]))
    for (const { api } of Object.values(sides)) await api.stop()
    return {
      figures: {
        on: mean(played.on, ({ rate }) => rate),
        off: mean(played.off, ({ rate }) => rate),
        'processor time of the api, on': mean(played.on, ({ cpu_us: cpu }) => cpu),
        'processor time of the api, off': mean(played.off, ({ cpu_us: cpu }) => cpu)
      },
      over_time: { unit: 'orders/s', lines: { on: played.on[0]!.per_second, off: played.off[0]!.per_second } }
    }
  }
}

async function start ({ comanda }: Players, env: Record<string, string>): Promise<Side> {
  return { ...await comanda.startAnotherApi(env), env }
}

/**
 * An api that stood idle has given back memory and forgotten compiled code: it is driven unmeasured first, or the side that
 * comes second in a row would win. A worker that writes no lines tells of no batches: the table does.
 */
async function placeWith (players: Players, { api, url, env }: Side): Promise<Served> {
  const { options: { connections, seconds }, comanda, tables } = players
  await tables.empty()
  const { worker, ready } = await comanda.startWorker(env)
  await ready()
  const job = { url: `${url}/orders`, connections, token: await comanda.token() }
  const before = await serve(players, api.pid, { ...job, seconds: WARM_UP_SECONDS })
  const served = await serve(players, api.pid, { ...job, seconds })
  await tables.settle(before.accepted + served.accepted)
  await worker.stop()
  await tables.expectOrders({ least: before.accepted + served.accepted, most: before.sent + served.sent })
  return served
}

function mean (served: readonly Served[], figure: (one: Served) => number | null): number | null {
  const values = served.map(figure)
  return values.includes(null) ? null : values.reduce<number>((sum, value) => sum + value!, 0) / values.length
}
