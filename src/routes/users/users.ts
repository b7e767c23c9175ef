import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { RegistrationBody, UserShown } from '../../users/schemas.js'

/** People who order. */
export const userRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/users', {
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' } },
    schema: { tags: ['users'], summary: 'Register', security: [], body: RegistrationBody, response: { 201: UserShown } }
  }, async (request, reply) => {
    const user = await app.userDesk.register(request.body)
    reply.code(201).header('location', `/users/${user.user_id}`)
    return user
  })
}
