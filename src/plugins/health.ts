import { EventEmitter, once } from 'node:events'
import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'

export type ServiceName = 'postgres' | 'redis' | 'rabbitmq'
/** `off`: this process was told to run without it. */
export type ServiceState = 'starting' | 'up' | 'down' | 'off'

interface Standing { state: ServiceState, since: string }

/** Of a worker: what there is to do and whether it is done. */
export interface ProgressReport {
  stuck: boolean
  sources: Record<string, { ready: number, unsettled: number, idle_ms: number, stuck: boolean }>
}

/** What is known of each backing service: one line in the log for each change, one member each in /readyz. */
export class Health {
  readonly #log: FastifyBaseLogger
  readonly #services = new Map<ServiceName, Standing>()
  readonly #changes = new EventEmitter()
  #progress: (() => ProgressReport) | null = null

  constructor (log: FastifyBaseLogger) {
    this.#log = log
    const since = new Date().toISOString()
    for (const service of ['postgres', 'redis', 'rabbitmq'] as const) this.#services.set(service, { state: 'starting', since })
    this.#changes.setMaxListeners(0)
  }

  /** @param what what the reader should know: where it is (never a password), its version, and what goes on without it */
  set (service: ServiceName, state: ServiceState, what: { host?: string, message: string, server_version?: string, cause?: Error | undefined }): void {
    if (this.#services.get(service)?.state === state) return
    this.#services.set(service, { state, since: new Date().toISOString() })
    if (state === 'up') this.#changes.emit(service)
    const { message, cause, ...rest } = what
    const line = { service, state, ...rest }
    if (state === 'down') this.#log.warn({ ...line, reason: cause ? reasonOf(cause) : 'the connection was closed' }, message)
    else this.#log.info(line, message)
  }

  state (service: ServiceName): ServiceState {
    return this.#services.get(service)?.state ?? 'starting'
  }

  /** Resolves as soon as the service is up. @param signal gives up waiting, without an error */
  async whenUp (service: ServiceName, signal: AbortSignal): Promise<void> {
    if (this.state(service) !== 'up') await once(this.#changes, service, { signal }).catch(() => {})
  }

  /** Milliseconds since the service's present state began. */
  standing (service: ServiceName): number {
    return Date.now() - Date.parse(this.#services.get(service)?.since ?? '')
  }

  report (): Record<string, Standing> {
    return Object.fromEntries(this.#services)
  }

  /** From now on readiness depends on progress too. */
  follow (progress: () => ProgressReport): void {
    this.#progress = progress
  }

  /** null: of a process that has no backlog of its own */
  progress (): ProgressReport | null {
    return this.#progress?.() ?? null
  }
}

function reasonOf (cause: Error): string {
  const { code } = cause as { code?: string }
  // A refused connection to a name with two addresses is an AggregateError without a message.
  return cause.message || code || cause.name
}

declare module 'fastify' {
  interface FastifyInstance { health: Health }
}

export interface HealthOptions {
  /** Whether this process can do its work, given the state of its services. */
  ready (state: (service: ServiceName) => ServiceState): boolean
}

const Liveness = Type.Object({ status: Type.Literal('alive') }, { $id: 'Liveness' })

const Standing = Type.Object({
  state: Type.Unsafe<ServiceState>({ type: 'string', enum: ['starting', 'up', 'down', 'off'], description: '`off`: this process was told to run without it' }),
  since: Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] })
}, { $id: 'ServiceStanding' })

const readiness = {
  status: Type.Unsafe<string>({ type: 'string', enum: ['ready', 'degraded', 'unready', 'closing'], description: '`degraded`: it does its work, without one of its services' }),
  services: Type.Object({ postgres: Standing, redis: Standing, rabbitmq: Standing })
}
const Readiness = Type.Object(readiness, { $id: 'Readiness' })

const Source = Type.Object({ ready: Type.Integer(), unsettled: Type.Integer(), idle_ms: Type.Integer(), stuck: Type.Boolean() })
const WorkerReadiness = Type.Object({
  ...readiness,
  progress: Type.Optional(Type.Object({ stuck: Type.Boolean(), sources: Type.Record(Type.String(), Source) }))
})

/** `/livez` never looks at a dependency; `/readyz` names each with its state and since when, and the worker's looks at progress. */
export const healthPlugin = fp<HealthOptions>(async (app, { ready }) => {
  const health = new Health(app.log)
  let closing = false
  app.decorate('health', health)
  app.addHook('preClose', async () => { closing = true })
  const schema = { tags: ['operations'], security: [] }
  const Shown = app.config.process === 'worker' ? WorkerReadiness : Readiness

  app.get('/livez', {
    config: { quiet: true, answers: { 200: { description: 'It is' } } },
    logLevel: 'warn',
    schema: { ...schema, operationId: 'isAlive', summary: 'Whether the process is alive', response: { 200: Liveness } }
  }, async () => ({ status: 'alive' }))

  app.get('/readyz', {
    config: { quiet: true, answers: { 200: { description: 'It can' }, 503: { description: 'It cannot: send it nothing' } } },
    logLevel: 'warn',
    schema: { ...schema, operationId: 'isReady', summary: 'Whether it can do its work, and each service it uses', response: { 200: Shown, 503: Shown } }
  }, async (_request, reply) => {
    const services = health.report()
    const all = Object.values(services).every(({ state }) => state === 'up' || state === 'off')
    const progress = health.progress()
    const able = !closing && progress?.stuck !== true && ready((service) => health.state(service))
    const status = closing ? 'closing' : !able ? 'unready' : all ? 'ready' : 'degraded'
    return await reply.code(able ? 200 : 503).header('cache-control', 'no-store').send({ status, services, ...(progress ? { progress } : {}) })
  })
}, { name: 'health', dependencies: ['config', 'http'] })

/** Where a service is, for people: `host:port/path` without user or password. */
export function hostOf (url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname.replace(/\/$/, '')
}
