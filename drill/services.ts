import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sweepAbandoned } from '../local/abandoned.js'
import { runCommand } from '../local/command.js'
import { lockFolder } from '../local/lock.js'
import { startPostgres } from '../local/postgres.js'
import { startRabbitmq } from '../local/rabbitmq.js'
import { startRedis } from '../local/redis.js'
import type { Running } from '../local/service.js'
import { makeFolder } from '../local/state-folder.js'
import type { Cleanup } from '../testkit/cleanup.js'
import { type Service, SERVICES } from './faults.js'

const RABBITMQCTL_LIMIT_MS = 20_000

/** A service of the drill's own that can be taken away and brought back, on the same port and data. */
export class OwnService {
  readonly name: Service
  readonly #start: (port?: number) => Promise<Running>
  #running: Running | null = null
  #port = 0

  constructor (name: Service, start: (port?: number) => Promise<Running>) {
    this.name = name
    this.#start = start
  }

  get running (): Running {
    if (this.#running === null) throw new Error(`${this.name} is not running`)
    return this.#running
  }

  /** Straight to the service, past every proxy. */
  get url (): string {
    return this.running.url
  }

  /** Resolves when it answers. The first start chooses the port, later ones keep it. */
  async start (): Promise<void> {
    this.#running = await this.#start(this.#port === 0 ? undefined : this.#port)
    this.#port = this.#running.port
  }

  async kill (signal: NodeJS.Signals): Promise<void> {
    await this.running.kill(signal)
  }

  async stop (): Promise<void> {
    await this.#running?.stop()
  }
}

export type OwnServices = Record<Service, OwnService>

/**
 * Starts all three in a folder of this run, removed at the end. Redis keeps nothing: it comes back empty.
 * The moment of each commit is kept by Postgres: the checker compares it with what readers saw.
 */
export async function startServices (env: NodeJS.ProcessEnv, cleanup: Cleanup): Promise<OwnServices> {
  const stateDir = makeFolder(mkdtempSync(join(tmpdir(), 'comanda-drill-')))
  // Purpose `test`: should this process be killed, the next run of drill or tests sweeps up what it leaves.
  const release = lockFolder(stateDir, 'test')
  cleanup.add(stateDir, () => {
    release()
    rmSync(stateDir, { recursive: true, force: true })
  })
  await sweepAbandoned(stateDir)
  const at = (name: string, port?: number) => ({ stateDir: join(stateDir, name), env, ...(port === undefined ? {} : { port }) })
  const settings = { track_commit_timestamp: 'on', max_connections: '200' }
  const services = {
    broker: new OwnService('broker', async (port) => await startRabbitmq(at('rabbitmq', port))),
    postgres: new OwnService('postgres', async (port) => await startPostgres({ ...at('postgres', port), settings })),
    redis: new OwnService('redis', async (port) => await startRedis({ ...at('redis', port), durable: false }))
  }
  const starting = SERVICES.map(async (name) => await services[name].start())
  // Also while they are still starting: they run in sessions of their own and would outlive us.
  cleanup.add('services', async () => {
    await Promise.allSettled(starting)
    await Promise.all(SERVICES.map(async (name) => await services[name].stop()))
  })
  await Promise.all(starting)
  return services
}

/** @throws Error with what rabbitmqctl said */
export async function rabbitmqctl ({ running: { control } }: OwnService, ...args: string[]): Promise<string> {
  if (control === undefined) throw new Error('no rabbitmqctl')
  const result = await runCommand(control.command, [...control.args, ...args], { env: control.env, limitMs: RABBITMQCTL_LIMIT_MS })
  if (!result.ok) throw new Error(`rabbitmqctl ${args.join(' ')}: ${result.stderr.trim()}`)
  return result.stdout
}
