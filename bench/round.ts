import type { Child } from './child.js'
import type { Comanda } from './comanda.js'
import { type Drain, drain } from './drain.js'
import type { Endings } from './endings.js'
import { forkScript, type Load, type LoadJob, type LoadResult, nextMessage } from './load.js'
import type { Options } from './options.js'
import { cpuEach, cpuTime, peakMemory } from './proc.js'
import type { Tables } from './tables.js'
import { type UnnestInsert, unnestInsert } from './unnest-insert.js'

/** The bare server and the api under the same load, one right after the other. */
export interface Pair { bare: Served, api: Served }

export interface Served extends LoadResult {
  /** The server's processor time for each answer, microseconds: it suffers less than a rate when others use the machine too. */
  cpu_us: number | null
}

export interface Round {
  /** The honest one: api, worker, load and all services share the machine, as when somebody really orders. */
  worker_running: Pair
  /** The api's own road; what it accepts is the backlog. */
  worker_stopped: Pair
  drain: Drain
  unnest: UnnestInsert
  memory_mib: { api: number | null, worker: number | null }
}

export interface Players {
  options: Options
  comanda: Comanda
  api: Child
  bare: { url: string, pid: number }
  load: Load
  tables: Tables
}

export async function startBareFastify (endings: Endings): Promise<Players['bare']> {
  const child = forkScript('bare-fastify.ts', endings)
  const { port } = await nextMessage<{ port: number }>(child)
  return { url: `http://127.0.0.1:${port}/orders`, pid: child.pid! }
}

export async function playRound (players: Players): Promise<Round> {
  const { options, comanda, api, tables } = players
  await tables.empty()
  const { worker, ready } = await comanda.startWorker()
  await ready()
  const running = await playPair(players)
  await tables.settle(running.api.accepted)
  const workerMib = peakMemory(worker.pid)
  await worker.stop()
  await tables.expectOrders({ least: running.api.accepted, most: running.api.sent })

  await tables.empty()
  const stopped = await playPair(players, options.orders)
  const drained = await drain(comanda, tables, options.orders)
  const unnest = await unnestInsert(tables)
  return {
    worker_running: running,
    worker_stopped: stopped,
    drain: drained,
    unnest,
    memory_mib: { api: peakMemory(api.pid), worker: largest(workerMib, drained.worker_mib) }
  }
}

/** @param amount for the api: exactly so many orders, so that their number is known to the last one */
async function playPair (players: Players, amount?: number): Promise<Pair> {
  const { options: { connections, seconds }, comanda, api, bare } = players
  const served = await loadOn(players, bare.pid, { url: bare.url, connections, seconds, token: null })
  const token = await comanda.token()
  const job = { url: comanda.ordersUrl, connections, seconds, token, ...(amount === undefined ? {} : { amount }) }
  return { bare: served, api: await loadOn(players, api.pid, job) }
}

async function loadOn ({ load }: Players, pid: number, job: LoadJob): Promise<Served> {
  const before = cpuTime(pid)
  const result = await load.run(job)
  return { ...result, cpu_us: cpuEach(before, cpuTime(pid), result.accepted) }
}

/** Unmeasured: a just-started server runs code that is not compiled yet. */
export async function warmUp ({ options, comanda, bare, load, tables }: Players): Promise<void> {
  const { connections } = options
  const seconds = Math.min(options.seconds, 2)
  const { worker, ready } = await comanda.startWorker()
  await ready()
  await load.run({ url: bare.url, connections, seconds, token: null })
  const { accepted } = await load.run({ url: comanda.ordersUrl, connections, seconds, token: await comanda.token() })
  await tables.settle(accepted)
  await worker.stop()
}

function largest (...values: Array<number | null>): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}
