import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { logTarget, OWN_PASSWORD } from './request.js'
import { RoleBody, UserParams, UserResponse } from './schemas.js'

/** A role, given by an operator who proves to be one. */
export const roleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.put('/users/:user_id/role', {
    onRequest: app.authenticate,
    preHandler: [logTarget, app.limitBy((request) => String(app.callerOf(request).user_id), OWN_PASSWORD)],
    config: { problems: ['forbidden', 'user_not_found', 'wrong_password', 'too_many_requests', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'promoteUser',
      summary: 'Make a customer an operator',
      description: 'For operators, who give their own password. The sessions of the new operator end: the role counts from the next login on.',
      params: UserParams,
      body: RoleBody,
      response: { 200: UserResponse }
    }
  }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return await app.userAccounts.promote(request.params.user_id, request.body.password, app.requesterOf(request))
  })
}
