import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { withNextLink } from '../pages.js'
import { RegistrationBody, UserPage, UserQuery, UserResponse } from './schemas.js'

/** People who order: they register, operators list them. */
export const userRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.post('/users', {
    config: {
      rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' },
      problems: ['account_taken', 'weak_password', 'busy'],
      answers: { 201: { description: 'The new user', headers: ['location'] } }
    },
    schema: {
      tags: ['users'],
      operationId: 'register',
      summary: 'Register',
      description: 'No token needed. Log in with POST /auth/token afterwards.',
      security: [],
      body: RegistrationBody,
      response: { 201: UserResponse }
    }
  }, async (request, reply) => {
    const user = await app.userAccounts.register(request.body, app.networkOf(request))
    reply.code(201).header('location', `/users/${user.user_id}`)
    return user
  })

  app.get('/users', {
    onRequest: app.authenticate,
    config: { problems: ['forbidden', 'bad_cursor'], answers: { 200: { description: 'A page of users', headers: ['link'] } } },
    schema: {
      tags: ['users'],
      operationId: 'listUsers',
      summary: 'List users',
      description: 'For operators: all users who have not been erased, by user_id. Each CPF is masked.',
      querystring: UserQuery,
      response: { 200: UserPage }
    }
  }, async (request, reply) => withNextLink(request, reply, await app.userAccounts.list(request.query, app.requesterOf(request))))
}
