import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { PersonChangeBody, UserParams, UserShown } from '../../users/schemas.js'

/** One person: for themself and for operators. To anybody else there is no such user. */
export const oneUserRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('/users/:user_id', {
    config: { problems: ['user_not_found'] },
    schema: { tags: ['users'], operationId: 'getUser', summary: 'Read one user', description: 'For the user themself and for operators.', params: UserParams, response: { 200: UserShown } }
  }, async (request) => await app.userDesk.find(request.params.user_id, app.callerOf(request)))

  app.patch('/users/:user_id', {
    // Limited as registrations are: a refusal tells whether a CPF is known here.
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['user_not_found', 'nick_name_taken', 'cpf_taken'] },
    schema: {
      tags: ['users'],
      operationId: 'changeUser',
      summary: 'Change a user',
      description: 'For the user themself and for operators. What is left out stays; a change that changes nothing answers the user as is.',
      params: UserParams,
      body: PersonChangeBody,
      response: { 200: UserShown }
    }
  }, async (request) => await app.userDesk.change(request.params.user_id, request.body, app.callerOf(request)))

  app.delete('/users/:user_id', {
    config: { problems: ['user_not_found'] },
    schema: {
      tags: ['users'],
      operationId: 'eraseUser',
      summary: 'Erase a user',
      description: 'For the user themself and for operators. The personal data is erased for good and every session ends; the orders stay. The nick_name is never given to anybody again.',
      params: UserParams,
      response: { 204: Type.Null({ description: 'Erased, now or before' }) }
    }
  }, async (request, reply) => {
    await app.userDesk.erase(request.params.user_id, app.callerOf(request))
    return await reply.code(204).send(null)
  })
}
