import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cleanup } from '../../testkit/cleanup.js'
import { administer } from '../../testkit/databases.js'
import type { LoggedProcess } from '../../testkit/processes.js'
import { Load, type LoadJob, type LoadResult } from '../load/load.js'
import { forkScript, nextMessage } from '../script.js'
import type { Settings } from '../settings.js'
import { Comanda } from '../setup/comanda.js'
import { ownDatabase, type Environment } from '../setup/environment.js'
import { Tables } from '../setup/tables.js'
import { cpuEach, cpuTime } from './proc.js'
import { Workers } from './workers.js'

const NAIVE_TABLE = join(import.meta.dirname, '../alternatives/contestants/orders.sql')

/** All that a path or a sweep is measured with. Between two paths the api runs, no worker does, and the queue is empty. */
export interface Rig {
  settings: Settings
  environment: Environment
  cleanup: Cleanup
  comanda: Comanda
  api: LoggedProcess
  bare: BareFastify
  naive: NaiveServer
  load: Load
  tables: Tables
}

export interface BareFastify {
  url: string
  pid: number
  /** From now on it answers every GET /orders/{id} with this. */
  show (order: unknown): Promise<void>
}

/** Fastify with one insert a request, in a database of its own. */
export interface NaiveServer { url: string, pid: number, empty (): Promise<void> }

export interface Served extends LoadResult {
  /** The server's processor time for each answer, microseconds: it suffers less than a rate when others use the machine too. */
  cpu_us: number | null
}

/** @param folder for the logs @param profiles for CPU profiles of api and worker; null: none */
export async function startRig (settings: Settings, environment: Environment, { folder, profiles }: { folder: string, profiles: string | null }, cleanup: Cleanup): Promise<Rig> {
  const comanda = new Comanda(environment, folder, profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`], cleanup)
  const api = await comanda.startApi()
  const tables = new Tables(environment.databaseUrl)
  await tables.open(cleanup)
  const rig = { settings, environment, cleanup, comanda, api, tables, load: new Load(cleanup), bare: await startBareFastify(cleanup), naive: await startNaive(environment, cleanup) }
  await warmUp(rig)
  return rig
}

export async function startBareFastify (cleanup: Cleanup): Promise<BareFastify> {
  const child = forkScript('yardsticks/bare-fastify.ts', cleanup)
  const { port } = await nextMessage<{ port: number }>(child)
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    async show (order) {
      const taken = nextMessage(child)
      child.send({ shown: order })
      await taken
    }
  }
}

async function startNaive ({ databaseUrl }: Environment, cleanup: Cleanup): Promise<NaiveServer> {
  const { url } = await ownDatabase(databaseUrl, `comanda_bench_${process.pid}_naive`, cleanup)
  await administer(url, readFileSync(NAIVE_TABLE, 'utf8'))
  const child = forkScript('yardsticks/insert-a-request.ts', cleanup, [], { DATABASE_URL: url })
  const { port } = await nextMessage<{ port: number }>(child)
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, empty: async () => { await administer(url, 'truncate orders') } }
}

/** The processes that have a part in an order, besides the servers. */
export function partsOf ({ api, load }: Rig, workers: Workers | null): Record<string, readonly number[]> {
  return { api: [api.pid], load: [load.pid], ...(workers === null ? {} : { worker: workers.pids }) }
}

/** Puts a load on a server, and knows what each answer cost it. */
export async function serve ({ load }: Rig, pid: number, job: LoadJob): Promise<Served> {
  const before = cpuTime(pid)
  const result = await load.run(job)
  return { ...result, cpu_us: cpuEach(before, cpuTime(pid), result.accepted) }
}

type Placing = Omit<LoadJob, 'url' | 'token'>

export async function serveBare (rig: Rig, job: Placing): Promise<Served> {
  return await serve(rig, rig.bare.pid, { ...job, url: `${rig.bare.url}/orders`, token: null })
}

/** With a fresh token. */
export async function serveApi (rig: Rig, job: Placing): Promise<Served> {
  const token = await rig.comanda.token()
  return await serve(rig, rig.api.pid, { ...job, url: rig.comanda.ordersUrl, token })
}

/** The same load on the bare server, then on the api. */
export async function servePair (rig: Rig, job: Placing): Promise<{ bare: Served, api: Served }> {
  return { bare: await serveBare(rig, job), api: await serveApi(rig, job) }
}

/** Orders placed while workers run, as when somebody really orders; then everything is booked, and it is looked whether it is. */
export async function withWorker<T extends { placed: number, sent: number }> ({ comanda, tables }: Rig, place: (workers: Workers) => Promise<T>): Promise<T & { worker_mib: number | null, by_fallback: number }> {
  const workers = await Workers.start(comanda)
  const result = await place(workers)
  await workers.settle(result.placed)
  const done = { ...result, worker_mib: workers.mib, by_fallback: workers.byFallback }
  await workers.stop()
  await tables.expectOrders({ least: result.placed, most: result.sent })
  return done
}

/** Unmeasured: a just-started server runs code that is not compiled yet. */
async function warmUp (rig: Rig): Promise<void> {
  const { settings: { connections, seconds }, tables } = rig
  await tables.empty()
  await withWorker(rig, async () => {
    const { api } = await servePair(rig, { connections, seconds: Math.min(seconds, 2) })
    return { placed: api.accepted, sent: api.sent }
  })
  await tables.empty()
}
