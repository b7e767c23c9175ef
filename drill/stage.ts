import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Endings } from '../bench/endings.js'
import { freePort } from '../local/ports.js'
import { type Link, type ProcessName, PROCESSES, type Service } from './faults.js'
import { openProxies, type Proxy } from './proxies.js'
import { Random } from './random.js'
import { openRoundRobin } from './round-robin.js'
import { type OwnServices, startServices } from './services.js'
import { Supervisor } from './supervisor.js'

/** All that is played on: services, proxies, processes, and one address in front of the apis. */
export interface Stage {
  services: OwnServices
  proxies: Record<Link, Proxy>
  processes: Record<ProcessName, Supervisor>
  /** Of each process, for /readyz. */
  ports: Record<ProcessName, number>
  /** Of the round robin in front of the apis. */
  front: number
  /** What a command of the service needs to reach its services, past the proxies. */
  env: Record<string, string>
  build: string
}

export interface Setting {
  build: string
  /** Folder for the processes' output. */
  logs: string
  seed: number
  tokenSeconds: number
}

const SERVICES: Array<[service: Service, variable: string]> = [['postgres', 'DATABASE_URL'], ['redis', 'REDIS_URL'], ['broker', 'AMQP_URL']]
const READY_LIMIT_MS = 60_000

/** Starts everything and waits until it is ready. @throws Error with the end of a log when something does not come up */
export async function setStage (setting: Setting, endings: Endings): Promise<Stage> {
  const services = await startServices(process.env, endings)
  const proxies = await openProxies({ broker: services.broker.port, postgres: services.postgres.port, redis: services.redis.port }, endings)
  const random = new Random(setting.seed)
  const secret = randomBytes(32).toString('hex')
  const common = { NODE_ENV: 'production', LOG_LEVEL: 'info', HOST: '127.0.0.1', JWT_SECRET: secret, LOGIN_LIMIT: '100000', TOKEN_SECONDS: String(setting.tokenSeconds) }
  const ports = Object.fromEntries(await Promise.all(PROCESSES.map(async (name) => [name, await freePort()]))) as Record<ProcessName, number>
  const processes = Object.fromEntries(PROCESSES.map((name) => {
    const command = name.startsWith('api') ? 'api' : 'worker'
    const env = { ...common, ...urlsOf(services, (service) => proxies[`${command}-${service}`].port), [command === 'api' ? 'PORT' : 'WORKER_PORT']: String(ports[name]) }
    return [name, new Supervisor({ name, args: [join(setting.build, 'cli.js'), command], env, log: join(setting.logs, `${name}.log`), random }, endings)]
  })) as Record<ProcessName, Supervisor>
  for (const name of PROCESSES) processes[name].start()
  const front = await openRoundRobin([ports['api-1'], ports['api-2']], endings)
  const stage = { services, proxies, processes, ports, front, env: { ...common, ...urlsOf(services, (service) => services[service].port) }, build: setting.build }
  await untilReady(stage)
  return stage
}

function urlsOf (services: OwnServices, portOf: (service: Service) => number): Record<string, string> {
  return Object.fromEntries(SERVICES.map(([service, variable]) => {
    const url = new URL(services[service].url)
    url.port = String(portOf(service))
    return [variable, url.href]
  }))
}

/** Resolves when every process says that it is ready and that all three services are up. @throws Error naming those that are not */
export async function untilReady ({ ports, processes }: Stage): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS
  for (;;) {
    const waitedFor = await notReady(ports)
    if (waitedFor.length === 0) return
    if (Date.now() > deadline) {
      throw new Error(`not ready: ${waitedFor.map(({ name, why }) => `${name} (${why}); the end of its log:\n${processes[name].tail()}`).join('\n')}`)
    }
    await wait(100)
  }
}

async function notReady (ports: Stage['ports']): Promise<Array<{ name: ProcessName, why: string }>> {
  const asked = await Promise.all(PROCESSES.map(async (name) => {
    try {
      const answer = await fetch(`http://127.0.0.1:${ports[name]}/readyz`, { signal: AbortSignal.timeout(1000) })
      const { status, services } = await answer.json() as { status: string, services: Record<string, { state: string }> }
      const away = Object.keys(services).filter((service) => services[service]!.state !== 'up')
      return { name, why: answer.ok && away.length === 0 ? '' : `${status}${away.length > 0 ? `, without ${away.join(' and ')}` : ''}` }
    } catch {
      return { name, why: 'no answer' }
    }
  }))
  return asked.filter(({ why }) => why !== '')
}
