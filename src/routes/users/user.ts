import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { PersonChangeBody, UserParams, UserResponse } from './schemas.js'

/** One person: for that user and for operators. To any other caller there is no such user. */
export const oneUserRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRequest', app.authenticate)
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('/users/:user_id', {
    config: { problems: ['user_not_found'] },
    schema: { tags: ['users'], operationId: 'getUser', summary: 'Read one user', description: 'For the user and for operators.', params: UserParams, response: { 200: UserResponse } }
  }, async (request) => await app.userAccounts.find(request.params.user_id, app.callerOf(request)))

  app.patch('/users/:user_id', {
    // Limited as registrations are, and by user too: a refusal tells that a name or a CPF is known here.
    preHandler: app.limitBy((request) => String(app.callerOf(request).user_id)),
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['user_not_found', 'account_taken'] },
    schema: {
      tags: ['users'],
      operationId: 'changeUser',
      summary: 'Change a user',
      description: 'For the user and for operators. Members left out stay unchanged; a change that changes nothing returns the user as it is.',
      params: UserParams,
      body: PersonChangeBody,
      response: { 200: UserResponse }
    }
  }, async (request) => await app.userAccounts.change(request.params.user_id, request.body, app.callerOf(request)))

  app.delete('/users/:user_id', {
    config: { problems: ['user_not_found'] },
    schema: {
      tags: ['users'],
      operationId: 'eraseUser',
      summary: 'Erase a user',
      description: 'For the user and for operators. The personal data is permanently erased and every session ends; the orders remain. The nick_name is never available again.',
      params: UserParams,
      response: { 204: Type.Null({ description: 'Erased, now or earlier' }) }
    }
  }, async (request, reply) => {
    await app.userAccounts.erase(request.params.user_id, app.callerOf(request))
    return await reply.code(204).send(null)
  })
}
