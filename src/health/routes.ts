import type { FastifyInstance } from 'fastify'
import type { Health, ServiceName, ServiceState } from './health.js'
import { Liveness, Readiness, RelayReadiness, WorkerReadiness } from './schemas.js'

export interface HealthRoutesOptions {
  health: Health
  isClosing (): boolean
  /** Whether this process can do its work, given the state of its services. */
  ready (state: (service: ServiceName) => ServiceState): boolean
}

/** `/livez` never looks at a dependency; `/readyz` names each with its state and since when, and the worker's looks at progress. */
export function healthRoutes (app: FastifyInstance, { health, isClosing, ready }: HealthRoutesOptions): void {
  const schema = { tags: ['operations'], security: [] }
  const Shown = { api: Readiness, worker: WorkerReadiness, relay: RelayReadiness }[app.config.process]

  app.get('/livez', {
    config: { quiet: true, answers: { 200: { description: 'Alive' } } },
    logLevel: 'warn',
    schema: { ...schema, operationId: 'isAlive', summary: 'Whether the process is alive', response: { 200: Liveness } }
  }, async () => ({ status: 'alive' }))

  app.get('/readyz', {
    config: { quiet: true, answers: { 200: { description: 'Ready' }, 503: { description: 'Not ready: do not route traffic here' } } },
    logLevel: 'warn',
    schema: { ...schema, operationId: 'isReady', summary: 'Whether the process can do its work, and the state of each service it uses', response: { 200: Shown, 503: Shown } }
  }, async (_request, reply) => {
    const services = health.report()
    const all = Object.values(services).every(({ state, lacks }) => (state === 'up' && !lacks) || state === 'off')
    const progress = health.progress()
    const able = !isClosing() && progress?.stuck !== true && ready((service) => health.state(service))
    const status = isClosing() ? 'closing' : !able ? 'unready' : all ? 'ready' : 'degraded'
    return await reply.code(able ? 200 : 503).header('cache-control', 'no-store').send({ status, services, ...(progress ? { progress } : {}) })
  })
}
