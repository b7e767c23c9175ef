import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { PersonalData } from './schemas.js'

/** The data held about a person, for that person. */
export const exportRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/users/me/export', {
    onRequest: app.authenticate,
    config: { problems: ['user_not_found', 'export_running'], answers: { 200: { description: 'One document', headers: ['content-disposition'] } } },
    schema: {
      tags: ['users'],
      operationId: 'exportUser',
      summary: 'Export all data held about the caller',
      description: 'The user, their orders and the events of those orders, as one JSON document, one export at a time. It is ended when nothing of it is read for 20 seconds. An event that is applied while the document is written may appear twice; none is missing.',
      response: { 200: Type.Unsafe<ReadableStream<string>>(PersonalData) }
    }
  }, async (request, reply) => {
    const pieces = await app.oneExport(request, reply, async () => await app.userAccounts.export(app.requesterOf(request)))
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-store').header('content-disposition', 'attachment; filename="comanda-export.json"')
    return await reply.send(ReadableStream.from(pieces))
  })
}
