import { EventEmitter, once } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import type { Code, LogLine } from '../logs/catalogue.js'
import { logLine } from '../logs/log-line.js'

export type ServiceName = 'postgres' | 'redis' | 'rabbitmq'
/** `off`: this process was told to run without it. */
export type ServiceState = 'starting' | 'up' | 'down' | 'off'

export const SERVICES = ['postgres', 'redis', 'rabbitmq'] as const satisfies readonly ServiceName[]

type ServiceCode = Extract<Code, `${ServiceName}_${ServiceState}`>

/** Since when a service is in its present state. */
export interface ServiceStatus {
  state: ServiceState
  since: string
  /** What it refuses to this user, where it does. */
  lacks?: string[]
}

export interface SourceProgress {
  ready: number
  unsettled: number
  idle_ms: number
  /** Events that wait for a newer worker, where they wait. */
  deferred?: number
  stuck: boolean
}

/** Of a worker or a relay: what there is to do and whether it is done. */
export interface ProgressReport {
  stuck: boolean
  sources: Record<string, SourceProgress>
}

/** What is known of each backing service: one line in the log for each change, one member each in /readyz. */
export class Health {
  readonly #log: FastifyBaseLogger
  readonly #services = new Map<ServiceName, ServiceStatus>()
  readonly #changes = new EventEmitter()
  #progress: (() => ProgressReport) | null = null
  /** Told once it is plain that no waiting mends what is down: the process is to end. */
  onHopeless: () => void = () => {}

  constructor (log: FastifyBaseLogger, services: readonly ServiceName[] = SERVICES) {
    this.#log = log
    const since = new Date().toISOString()
    for (const service of services) this.#services.set(service, { state: 'starting', since })
    this.#changes.setMaxListeners(0)
  }

  /** @param what where it is (never a password), its version, which of its nodes is in use, and why it is down */
  set (service: ServiceName, state: Exclude<ServiceState, 'starting'>, what: { host?: string, node?: string, server_version?: string, cause?: Error | undefined } = {}): void {
    if (this.#services.get(service)?.state === state) return
    const { lacks } = this.#services.get(service) ?? {}
    this.#services.set(service, { state, since: new Date().toISOString(), ...(lacks && { lacks }) })
    if (state === 'up') this.#changes.emit(service)
    const { cause, ...rest } = what
    const reason = cause ? reasonOf(cause) : 'the connection was closed'
    logLine(this.#log, { event: `${service}_${state}`, service, state, ...rest, ...(state === 'down' ? { reason } : {}) } as LogLine<ServiceCode>)
  }

  state (service: ServiceName): ServiceState {
    return this.#services.get(service)?.state ?? 'starting'
  }

  /** Resolves as soon as the service is up. @param signal gives up waiting, without an error */
  async whenUp (service: ServiceName, signal: AbortSignal): Promise<void> {
    if (this.state(service) !== 'up') await once(this.#changes, service, { signal }).catch(() => {})
  }

  /** Commands that a service refuses to this user: it works, and not for everything. */
  lack (service: ServiceName, commands: readonly string[]): void {
    const { lacks: _, ...status } = this.#services.get(service)!
    this.#services.set(service, commands.length > 0 ? { ...status, lacks: [...commands] } : status)
  }

  /** Milliseconds since the service's present state began. */
  msInState (service: ServiceName): number {
    return Date.now() - Date.parse(this.#services.get(service)?.since ?? '')
  }

  report (): Record<string, ServiceStatus> {
    return Object.fromEntries(this.#services)
  }

  giveUp (): void {
    this.onHopeless()
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
  // Some libraries put a stack or a whole statement behind the first line.
  return (cause.message || code || cause.name).split('\n', 1)[0]!
}
