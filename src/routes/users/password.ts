import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { PasswordBody, UserParams } from '../../users/schemas.js'

/** A password, changed by whoever knows the present one. */
export const passwordRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.put('/users/:user_id/password', {
    onRequest: app.authenticate,
    preHandler: app.limitBy((request) => String(app.callerOf(request).user_id)),
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['user_not_found', 'self_only', 'wrong_password', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'changePassword',
      summary: 'Change a password',
      description: 'For the user themself alone. Every token given before stops working, the one used here too: log in again.',
      params: UserParams,
      body: PasswordBody,
      response: { 204: Type.Null({ description: 'Changed' }) }
    }
  }, async (request, reply) => {
    await app.sessionDesk.changePassword(request.params.user_id, request.body, app.callerOf(request))
    return await reply.code(204).send(null)
  })
}
