import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Health } from '../health/health.js'
import { healthRoutes, type HealthRoutesOptions } from '../health/routes.js'

declare module 'fastify' {
  interface FastifyInstance { health: Health }
}

export type HealthOptions = Pick<HealthRoutesOptions, 'ready'>

export const healthPlugin = fp<HealthOptions>(async (app, { ready }) => {
  const health = new Health(app.log)
  let closing = false
  app.decorate('health', health)
  app.addHook('preClose', async () => { closing = true })
  healthRoutes(app as unknown as FastifyInstance, { health, isClosing: () => closing, ready })
}, { name: 'health', dependencies: ['config', 'http'] })
