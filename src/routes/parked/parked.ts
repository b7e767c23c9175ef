import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { keepPrivate, withNextLink } from '../pages.js'
import { ParkedGroups, ParkedPage, ParkedParams, ParkedQuery, WholeParkedResponse } from './schemas.js'

/** What could not be booked, for operators to look at. */
export const parkedRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  keepPrivate(app)

  app.get('/parked', {
    config: { problems: ['forbidden', 'bad_cursor'], answers: { 200: { description: 'A page of parked events', headers: ['link'] } } },
    schema: {
      tags: ['operators'],
      operationId: 'listParked',
      summary: 'List parked events, newest first',
      description: 'For operators: order events that could not be booked, and what was no order event at all. Nothing parked is lost: each waits to be replayed or discarded.',
      querystring: ParkedQuery,
      response: { 200: ParkedPage }
    }
  }, async (request, reply) => withNextLink(request, reply, await app.operations.parked(lowerCase(request.query), app.callerOf(request))))

  app.get('/parked/groups', {
    config: { problems: ['forbidden'] },
    schema: { tags: ['operators'], operationId: 'groupParked', summary: 'Open parked events by reason and source', description: 'For operators: the largest group first, 100 at most.', response: { 200: ParkedGroups } }
  }, async (request) => ({ items: await app.operations.parkedGroups(app.callerOf(request)) }))

  app.get('/parked/:parked_id', {
    config: { problems: ['forbidden', 'parked_not_found'] },
    schema: { tags: ['operators'], operationId: 'getParked', summary: 'Read one parked event', description: 'For operators: with its bytes, its headers and what was done with it.', params: ParkedParams, response: { 200: WholeParkedResponse } }
  }, async (request) => await app.operations.parkedEvent(request.params.parked_id, app.callerOf(request)))
}

/** Orders are named in lower case wherever they are stored. */
export function lowerCase<T extends { order_id?: string | undefined }> (given: T): T {
  return given.order_id === undefined ? given : { ...given, order_id: given.order_id.toLowerCase() }
}
