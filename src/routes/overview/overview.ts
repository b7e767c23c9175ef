import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { keepPrivate } from '../pages.js'
import { OverviewResponse } from './schemas.js'

/** The numbers that an operator asks for first. */
export const overviewRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/overview', {
    config: { problems: ['forbidden'] },
    schema: { tags: ['operators'], operationId: 'getOverview', summary: 'How the service fares', description: 'For operators: of all processes together. What cannot be asked now is null, and a finding says why.', response: { 200: OverviewResponse } }
  }, async (request) => await app.overview.read(app.callerOf(request)))
}
