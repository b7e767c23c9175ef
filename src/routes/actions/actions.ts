import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { keepPrivate, withNextLink } from '../pages.js'
import { ActionPage, ActionQuery } from './schemas.js'

/** Who did what to what: added to, never changed. */
export const actionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/actions', {
    config: { problems: ['forbidden', 'bad_cursor'], answers: { 200: { description: 'A page of actions', headers: ['link'] } } },
    schema: { tags: ['operators'], operationId: 'listActions', summary: 'List who did what to what, newest first', description: 'For operators. Ids and words, never a value of a person.', querystring: ActionQuery, response: { 200: ActionPage } }
  }, async (request, reply) => withNextLink(request, reply, await app.operations.actions(request.query, app.callerOf(request))))
}
