import type { Child } from './child.js'
import { Comanda } from './comanda.js'
import type { Endings } from './endings.js'
import { forkScript, Load, type LoadJob, type LoadResult, nextMessage } from './load.js'
import type { Options } from './options.js'
import { cpuEach, cpuTime } from './proc.js'
import type { Stage } from './stage.js'
import { Tables } from './tables.js'
import { Workers } from './workers.js'

/** Who plays on a stage. Between two roads the api runs, no worker does, and the queue is empty. */
export interface Players {
  options: Options
  stage: Stage
  endings: Endings
  comanda: Comanda
  api: Child
  bare: BareFastify
  load: Load
  tables: Tables
}

export interface BareFastify {
  url: string
  pid: number
  /** From now on it answers every GET /orders/{id} with this. */
  show (order: unknown): Promise<void>
}

export interface Served extends LoadResult {
  /** The server's processor time for each answer, microseconds: it suffers less than a rate when others use the machine too. */
  cpu_us: number | null
}

/** @param folder for the logs @param profiles for CPU profiles of api and worker; null: none */
export async function startPlayers (options: Options, stage: Stage, { folder, profiles }: { folder: string, profiles: string | null }, endings: Endings): Promise<Players> {
  const comanda = new Comanda(stage, folder, profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`], endings)
  const api = await comanda.startApi()
  const tables = new Tables(stage.databaseUrl)
  await tables.open(endings)
  const players = { options, stage, endings, comanda, api, tables, load: new Load(endings), bare: await startBareFastify(endings) }
  await warmUp(players)
  return players
}

export async function startBareFastify (endings: Endings): Promise<BareFastify> {
  const child = forkScript('bare-fastify.ts', endings)
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

/** Puts a load on a server, and knows what each answer cost it. */
export async function serve ({ load }: Players, pid: number, job: LoadJob): Promise<Served> {
  const before = cpuTime(pid)
  const result = await load.run(job)
  return { ...result, cpu_us: cpuEach(before, cpuTime(pid), result.accepted) }
}

/** The same load on the bare server, then, with a fresh token, on the api. */
export async function servePair (players: Players, job: Omit<LoadJob, 'url' | 'token'>): Promise<{ bare: Served, api: Served }> {
  const { comanda, api, bare } = players
  const served = await serve(players, bare.pid, { ...job, url: `${bare.url}/orders`, token: null })
  const token = await comanda.token()
  return { bare: served, api: await serve(players, api.pid, { ...job, url: comanda.ordersUrl, token }) }
}

/** Orders placed while workers run, as when somebody really orders; then everything is booked, and it is looked whether it is. */
export async function withWorker<T extends { placed: number, sent: number }> ({ comanda, tables }: Players, place: (workers: Workers) => Promise<T>): Promise<T & { worker_mib: number | null, by_outbox: number }> {
  const workers = await Workers.start(comanda)
  const result = await place(workers)
  await workers.settle(result.placed)
  const done = { ...result, worker_mib: workers.mib, by_outbox: workers.byOutbox }
  await workers.stop()
  await tables.expectOrders({ least: result.placed, most: result.sent })
  return done
}

/** Unmeasured: a just-started server runs code that is not compiled yet. */
async function warmUp (players: Players): Promise<void> {
  const { options: { connections, seconds }, tables } = players
  await tables.empty()
  await withWorker(players, async () => {
    const { api } = await servePair(players, { connections, seconds: Math.min(seconds, 2) })
    return { placed: api.accepted, sent: api.sent }
  })
  await tables.empty()
}
