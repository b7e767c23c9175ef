import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { freePort } from '../local/ports.js'
import type { Cleanup } from '../testkit/cleanup.js'
import { Random } from '../testkit/random.js'
import { untilReady as untilAllReady } from '../testkit/readiness.js'
import { type Command, commandOf, type Link, type ProcessName, PROCESSES, type Service, SERVICES, type Stage, USES } from './faults.js'
import { openProxies, type Proxies, urlBy } from './proxies.js'
import { openRoundRobin } from './round-robin.js'
import { type Clustered, type DrillServices, startServices } from './services.js'
import { Supervisor } from './supervisor.js'

/** All that faults are done to: services, proxies, processes, and one address in front of the apis. */
export interface Environment {
  services: DrillServices
  /** null: each service is one server */
  clustered: Clustered | null
  proxies: Proxies
  processes: Record<ProcessName, Supervisor>
  /** Of each process, for /readyz. */
  ports: Record<ProcessName, number>
  /** Of the round robin in front of the apis. */
  front: number
  /** What a command of the service needs to reach its services, past the proxies. */
  env: Record<string, string>
  build: string
}

export interface EnvironmentOptions {
  stage: Stage
  build: string
  /** Folder for the processes' output. */
  logs: string
  seed: number
  tokenSeconds: number
}

const READY_LIMIT_MS = 60_000
const PORTS: Record<Command, string> = { api: 'PORT', worker: 'WORKER_PORT', relay: 'RELAY_PORT' }
const URLS: Record<Service, string> = { postgres: 'DATABASE_URL', redis: 'REDIS_URL', broker: 'AMQP_URL' }

/** Starts everything and waits until it is ready. @throws Error with the end of a log when something does not come up */
export async function startEnvironment (options: EnvironmentOptions, cleanup: Cleanup): Promise<Environment> {
  const { services, clustered } = await startServices(options.stage, process.env, cleanup)
  const proxies = await openProxies(services, clustered, cleanup)
  const random = new Random(options.seed)
  const secret = randomBytes(32).toString('hex')
  const common = { NODE_ENV: 'production', LOG_LEVEL: 'info', HOST: '127.0.0.1', TRUST_PROXY: '127.0.0.1', JWT_SECRET: secret, EVENT_KEYS: `events${secret}`, PSEUDONYM_KEY: `pseudonyms${secret}`, DATA_KEYS: `drill:${randomBytes(32).toString('base64')}`, WEBHOOK_ALLOW: '127.0.0.0/8', LOGIN_LIMIT: '100000', ORDERS_PER_MINUTE: '0', TOKEN_SECONDS: String(options.tokenSeconds) }
  const ports = Object.fromEntries(await Promise.all(PROCESSES.map(async (name) => [name, await freePort()]))) as Record<ProcessName, number>
  const processes = Object.fromEntries(PROCESSES.map((name) => {
    const command = commandOf(name)
    const env = { ...common, ...urlsOf(USES[command], (service) => urlBy(proxies[`${command}-${service}` as Link], service)), [PORTS[command]]: String(ports[name]) }
    return [name, new Supervisor({ name, args: [join(options.build, 'cli.js'), command], env, log: join(options.logs, `${name}.log`), random }, cleanup)]
  })) as Record<ProcessName, Supervisor>
  for (const name of PROCESSES) processes[name].start()
  const front = await openRoundRobin([ports['api-1'], ports['api-2']], cleanup)
  const environment = { services, clustered, proxies, processes, ports, front, env: { ...common, ...urlsOf(SERVICES, (service) => services[service].url) }, build: options.build }
  await untilReady(environment)
  return environment
}

/** Resolves when every process is ready and all three services are up. @throws Error naming those that are not */
export async function untilReady ({ ports, processes }: Environment): Promise<void> {
  await untilAllReady(PROCESSES.map((name) => ({ name, address: `http://127.0.0.1:${ports[name]}`, log: processes[name].log })), READY_LIMIT_MS)
}

/** Which of a process's variables names which service. */
function urlsOf (used: readonly Service[], urlOf: (service: Service) => string): Record<string, string> {
  return Object.fromEntries(used.map((service) => [URLS[service], urlOf(service)]))
}
