import { Redis } from 'ioredis'
import { until } from '../local/processes.js'
import { administer } from '../testkit/databases.js'
import type { Mode } from '../testkit/proxy.js'
import { injectIntoCluster } from './cluster-injections.js'
import type { Environment } from './environment.js'
import { type Fault, type Heal, type Link, type ProcessName, type Service, SERVICES } from './faults.js'
import type { DrillService } from './own-service.js'
import { rabbitmqctl } from './services.js'
import { longWrite, rollbacks } from './transactions.js'

const BACK_LIMIT_MS = 20_000

/** Does one fault. @returns how to heal it; null: it was over as soon as it was done @throws Error when it could not be done */
export async function inject (fault: Fault, environment: Environment): Promise<Heal | null> {
  const { target, subject, kind } = fault
  const inCluster = await injectIntoCluster(fault, environment)
  if (inCluster !== undefined) return inCluster
  if (target === 'network') return injectIntoLink(fault, environment)
  if (target === 'api' || target === 'worker' || target === 'relay') return await injectIntoProcess(environment, subject as ProcessName, kind)
  const own = environment.services[target]
  const special = SPECIAL_FAULTS[target][kind]
  return special === undefined ? await injectIntoServer(own, kind) : await special(own, fault)
}

/** The same for all three servers. */
async function injectIntoServer (own: DrillService, kind: string): Promise<Heal | null> {
  switch (kind) {
    case 'kill':
      await own.kill('SIGKILL')
      return async () => await own.start()
    case 'down':
      await own.stop()
      return async () => await own.start()
    case 'restart':
      await own.stop()
      await own.start()
      return null
    case 'pause':
      await own.kill('SIGSTOP')
      return async () => await own.kill('SIGCONT')
    default:
      throw new Error(`${own.name}: there is no fault ${kind}`)
  }
}

type SpecialFaults = Record<string, (own: DrillService, fault: Fault) => Promise<Heal | null>>

/** What only one of them knows. */
const SPECIAL_FAULTS: Record<Service, SpecialFaults> = {
  broker: {
    drop: async (own) => {
      await rabbitmqctl(own, 'close_all_connections', 'drill')
      return null
    },
    memory_alarm: async (own) => {
      await rabbitmqctl(own, 'set_vm_memory_high_watermark', '0')
      return async () => { await rabbitmqctl(own, 'set_vm_memory_high_watermark', '0.4') }
    },
    disk_alarm: async (own) => {
      await rabbitmqctl(own, 'set_disk_free_limit', '1000000GB')
      return async () => { await rabbitmqctl(own, 'set_disk_free_limit', '50MB') }
    }
  },
  postgres: {
    drop: async (own) => {
      await administer(own.url, 'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = $$client backend$$')
      return null
    },
    read_only: async (own) => {
      const set = async (value: string) => await administer(own.url, `alter system set default_transaction_read_only = ${value}`, 'select pg_reload_conf()')
      await set('on')
      // The session that undoes it would be read-only itself, which does not keep it from ALTER SYSTEM.
      return async () => { await set('off') }
    },
    long_write: longWrite,
    rollbacks
  },
  redis: {
    flush: async (own) => {
      await command(own, async (redis) => await redis.flushall())
      return null
    },
    stall: async (own, { duration }) => {
      await command(own, async (redis) => await redis.call('CLIENT', 'PAUSE', String(Math.round(duration * 1000)), 'ALL'))
      return async () => {}
    }
  }
}

async function injectIntoProcess ({ processes, ports }: Environment, name: ProcessName, kind: string): Promise<Heal | null> {
  const own = processes[name]
  if (kind === 'pause') {
    await own.signal('SIGSTOP')
    return async () => await own.signal('SIGCONT')
  }
  await own.signal(kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
  // Its supervisor brings it back.
  const alive = async () => await fetch(`http://127.0.0.1:${ports[name]}/livez`, { signal: AbortSignal.timeout(500) }).then(({ ok }) => ok, () => false)
  return async () => { await until(`${name} is not back`, BACK_LIMIT_MS, alive) }
}

/** How a proxy plays each fault of a link that lasts, `delay` apart. */
const MODES: Record<string, Mode> = { refuse: 'refuse', silent: 'silent', lose_requests: 'deaf', lose_answers: 'mute' }

function injectIntoLink ({ subject, kind, delay = 0 }: Fault, environment: Environment): Heal | null {
  const proxies = environment.proxies[subject as Link]
  if (kind === 'delay') {
    for (const proxy of proxies) proxy.delay = delay
    return async () => { for (const proxy of proxies) proxy.delay = 0 }
  }
  if (kind === 'cut' || kind === 'refuse') for (const proxy of proxies) proxy.cut()
  if (kind === 'cut') return null
  for (const proxy of proxies) proxy.mode = MODES[kind]!
  return async () => {
    for (const proxy of proxies) {
      proxy.mode = 'pass'
      proxy.cutLossy()
    }
  }
}

async function command ({ url }: DrillService, run: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 5000 })
  redis.on('error', () => {}) // the command reports it
  try {
    await run(redis)
  } finally {
    redis.disconnect()
  }
}

/** Whatever state the services are in: each runs and goes on. For a run that is broken off. */
export async function continueAll ({ services, processes }: Environment): Promise<void> {
  await Promise.allSettled([
    ...SERVICES.map(async (name) => await services[name].kill('SIGCONT')),
    ...Object.values(processes).map(async (own) => await own.signal('SIGCONT'))
  ])
}
