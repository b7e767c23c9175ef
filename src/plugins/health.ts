import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Health, type ServiceName } from '../health/health.js'
import { healthRoutes, type HealthRoutesOptions } from '../health/routes.js'

declare module 'fastify' {
  interface FastifyInstance { health: Health }
}

export interface HealthOptions extends Pick<HealthRoutesOptions, 'ready'> {
  /** Those that this process uses; missing: all */
  services?: readonly ServiceName[]
}

export const healthPlugin = fp<HealthOptions>(async (app, { ready, services }) => {
  const health = new Health(app.log, services)
  let closing = false
  app.decorate('health', health)
  app.addHook('preClose', async () => { closing = true })
  healthRoutes(app as unknown as FastifyInstance, { health, isClosing: () => closing, ready })
}, { name: 'health', dependencies: ['config', 'http'] })
