import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'amqplib'
import { Redis } from 'ioredis'
import { startRedis } from '../../local/redis.js'
import type { Comanda } from '../setup/comanda.js'
import type { Cleanup } from '../../testkit/cleanup.js'
import { administer } from '../../testkit/databases.js'
import { forkScript, nextMessage } from '../script.js'
import { ownDatabase, type Environment } from '../setup/environment.js'
import { Tables } from '../setup/tables.js'

const FOLDER = join(import.meta.dirname, 'contestants')
const STOP_LIMIT_MS = 10_000

/** Who takes part: its processes run from `start` until the cleanup given to it. */
export interface Contestant {
  name: string
  /** @param workers whether what books the orders runs beside what accepts them */
  start: (cleanup: Cleanup, workers: boolean) => Promise<Place>
}

/** Where its orders are posted, and the database whose table `orders` they end in. */
export interface Place {
  url: string
  databaseUrl: string
  token: () => Promise<string | null>
}

export function comandaItself (comanda: Comanda, { databaseUrl }: Environment): Contestant {
  return {
    name: 'comanda',
    async start (cleanup, workers) {
      const tables = new Tables(databaseUrl)
      await tables.open(cleanup)
      await tables.empty()
      if (workers) {
        const { worker, ready } = await comanda.startWorker()
        cleanup.add('worker', () => worker.stop())
        await ready()
      }
      return { url: comanda.ordersUrl, databaseUrl, token: () => comanda.token() }
    }
  }
}

interface Needs {
  /** It books in the request itself. */
  noWorker?: true
  queue?: true
  redis?: true
  /** Where it is no script of contestants/: that of the yardstick, by its path from the bench. */
  script?: string
}

const ALTERNATIVES: Record<string, Needs> = {
  'fastify-insert': { noWorker: true, script: 'yardsticks/insert-a-request.ts' },
  'fastify-confirm': { queue: true },
  'nestjs-rmq': { queue: true },
  bullmq: { redis: true },
  'pg-boss': {},
  'graphile-worker': {}
}

/** Each in a database, queue or Redis of its own, new for every trial. */
export function alternatives (environment: Environment): Contestant[] {
  return Object.entries(ALTERNATIVES).map(([name, { noWorker, queue, redis, script = `alternatives/contestants/${name}.ts` }]) => ({
    name,
    async start (cleanup, workers) {
      const database = await ownDatabase(environment.databaseUrl, `comanda_bench_${process.pid}_${name.replaceAll('-', '_')}`, cleanup)
      await administer(database.url, readFileSync(join(FOLDER, 'orders.sql'), 'utf8'))
      if (queue) cleanup.add(`queue of ${name}`, () => deleteQueue(environment.amqpUrl, `alternative.${name}`))
      const env = {
        DATABASE_URL: database.url,
        ...(queue ? { AMQP_URL: environment.amqpUrl } : {}),
        ...(redis ? { REDIS_URL: await ownRedis(cleanup) } : {}),
        TSX_TSCONFIG_PATH: join(FOLDER, 'tsconfig.json')
      }
      const { port } = await startProcess<{ port: number }>(script, 'api', env, cleanup)
      if (workers && !noWorker) await startProcess(script, 'worker', env, cleanup)
      return { url: `http://127.0.0.1:${port}/orders`, databaseUrl: database.url, token: async () => null }
    }
  }))
}

async function startProcess<T> (script: string, role: 'api' | 'worker', env: Record<string, string>, cleanup: Cleanup): Promise<T> {
  const child = forkScript(script, cleanup, [role], env)
  cleanup.add(`${script} ${role}`, () => stop(child))
  return await nextMessage<T>(child)
}

/** An orderly end; whoever takes longer is killed by the ending that forkScript has left. */
async function stop (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await Promise.race([exit, wait(STOP_LIMIT_MS, undefined, { ref: false })])
}

/** A server of our own: the one that is found or given may sync once a second, and no setting of it is ours to change. */
async function ownRedis (cleanup: Cleanup): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-redis-'))
  cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const server = await startRedis({ stateDir: folder, env: process.env })
  cleanup.add('Redis of its own', () => server.stop())
  const client = new Redis(server.url)
  await client.config('SET', 'appendfsync', 'always')
  await client.quit()
  return server.url
}

async function deleteQueue (url: string, queue: string): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  await channel.deleteQueue(queue)
  await connection.close()
}
