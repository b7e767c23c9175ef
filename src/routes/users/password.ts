import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { logTarget, OWN_PASSWORD } from './request.js'
import { PasswordBody, UserParams } from './schemas.js'

/** A password, changed by a user who knows the current one. */
export const passwordRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.put('/users/:user_id/password', {
    onRequest: app.authenticate,
    preHandler: [logTarget, app.limitBy((request) => String(app.callerOf(request).user_id), OWN_PASSWORD)],
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['user_not_found', 'self_only', 'wrong_password', 'weak_password', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'changePassword',
      summary: 'Change a password',
      description: 'For the user only. Every token issued before stops working, including the one used here: log in again.',
      params: UserParams,
      body: PasswordBody,
      response: { 204: Type.Null({ description: 'Changed' }) }
    }
  }, async (request, reply) => {
    await app.userSessions.changePassword(request.params.user_id, request.body, app.requesterOf(request), app.networkOf(request))
    return await reply.code(204).send(null)
  })
}
