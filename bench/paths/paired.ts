import type { LoggedProcess } from '../../testkit/processes.js'
import { cpuEach, cpuTime } from '../placing/proc.js'
import { type Rig, serve, type Served } from '../placing/rig.js'
import type { Settings } from '../settings.js'
import type { Path, Target } from './path.js'

const WARM_UP_SECONDS = 2

export interface Switch {
  name: string
  /** What is on or off, in the path's title. */
  what: string
  /** How it is turned off, in words and as variables of api and worker. */
  off: { how: string, env: Record<string, string> }
  /** Of both sides, where the usual one does not let it be turned off. */
  env?: Record<string, string>
  targets (settings: Settings): Target[]
}

interface Side { api: LoggedProcess, url: string, env: Record<string, string> }

interface Cost extends Served {
  /** Of api and worker together, microseconds an order. */
  both_us: number | null
}

/** What something costs that can be turned off. Two apis started alike, each with a worker set as it is. */
export function paired ({ name, what, off, env = {}, targets }: Switch): Path {
  return {
    name,
    title: ({ connections }) => `POST /orders, ${connections} connections, ${what} on or off`,
    how: `closed loop as in place, a worker running that is set as the api is; off: ${off.how}; in each round on, off, off, on, each driven for two seconds before it counts`,
    units: {
      on: 'orders/s',
      off: 'orders/s',
      'processor time of the api, on': 'us/order',
      'processor time of the api, off': 'us/order',
      'processor time of api and worker, on': 'us/order',
      'processor time of api and worker, off': 'us/order',
      'processor time of both, on over off': 'ratio'
    },
    ratio: ['on', 'off'],
    targets,
    async measure (rig) {
      const sides = { on: await start(rig, env), off: await start(rig, { ...env, ...off.env }) }
      const costs = { on: [] as Cost[], off: [] as Cost[] }
      for (const which of ['on', 'off', 'off', 'on'] as const) costs[which].push(await placeWith(rig, sides[which]))
      for (const { api } of Object.values(sides)) await api.stop()
      const both = { on: mean(costs.on, (one) => one.both_us), off: mean(costs.off, (one) => one.both_us) }
      return {
        figures: {
          on: mean(costs.on, ({ rate }) => rate),
          off: mean(costs.off, ({ rate }) => rate),
          'processor time of the api, on': mean(costs.on, ({ cpu_us: cpu }) => cpu),
          'processor time of the api, off': mean(costs.off, ({ cpu_us: cpu }) => cpu),
          'processor time of api and worker, on': both.on,
          'processor time of api and worker, off': both.off,
          'processor time of both, on over off': both.on === null || both.off === null ? null : both.on / both.off
        },
        over_time: { unit: 'orders/s', lines: { on: costs.on[0]!.per_second, off: costs.off[0]!.per_second } }
      }
    }
  }
}

async function start ({ comanda }: Rig, env: Record<string, string>): Promise<Side> {
  return { ...await comanda.startAnotherApi(env), env }
}

/**
 * An api that stood idle has given back memory and forgotten compiled code: it is driven unmeasured first, or the side that
 * comes second in a row would win; so is the worker, until it has booked all of that. One that writes no lines tells of no
 * batches: the table does.
 */
async function placeWith (rig: Rig, { api, url, env }: Side): Promise<Cost> {
  const { settings: { connections, seconds }, comanda, tables } = rig
  await tables.empty()
  const { worker, ready } = await comanda.startWorker(env)
  await ready()
  const job = { url: `${url}/orders`, connections, token: await comanda.token() }
  const before = await serve(rig, api.pid, { ...job, seconds: WARM_UP_SECONDS })
  await tables.settle(before.accepted)
  const workerBefore = cpuTime(worker.pid)
  const served = await serve(rig, api.pid, { ...job, seconds })
  await tables.settle(before.accepted + served.accepted)
  const ofWorker = cpuEach(workerBefore, cpuTime(worker.pid), served.accepted)
  await worker.stop()
  await tables.expectOrders({ least: before.accepted + served.accepted, most: before.sent + served.sent })
  return { ...served, both_us: served.cpu_us === null || ofWorker === null ? null : served.cpu_us + ofWorker }
}

function mean (costs: readonly Cost[], figure: (one: Cost) => number | null): number | null {
  const values = costs.map(figure)
  return values.includes(null) ? null : values.reduce<number>((sum, value) => sum + value!, 0) / values.length
}
