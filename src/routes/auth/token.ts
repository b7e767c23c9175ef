import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LoginBody, TokenShown } from '../../users/schemas.js'
import { canonicalName } from '../../users/user.js'

/** Tokens: given for a password, renewed by one that is still valid. */
export const tokenRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') }) // RFC 6749, section 5.1

  app.post('/auth/token', {
    // From one address many names are guessed at, for one name many addresses guess: each is limited.
    preHandler: app.limitBy(({ body }) => canonicalName((body as LoginBody).nick_name)),
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['wrong_credentials', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'logIn',
      summary: 'Log in',
      description: 'An unknown nick_name and a wrong password are answered alike. Limited for each address and for each nick_name.',
      security: [],
      body: LoginBody,
      response: { 200: TokenShown }
    }
  }, async (request) => {
    const session = await app.sessionDesk.login(request.body.nick_name, request.body.password)
    return app.issueToken({ ...session, since: Math.floor(Date.now() / 1000) })
  })

  app.post('/auth/token/renew', {
    onRequest: app.authenticate,
    config: { problems: ['session_over'] },
    schema: {
      tags: ['users'],
      operationId: 'renewToken',
      summary: 'Renew a token that is still valid',
      description: 'The new token carries the role that the user has now. A session lasts at most 12 hours, and ends with a change of the password.',
      response: { 200: TokenShown }
    }
  }, async (request) => {
    const { since, ...session } = app.callerOf(request)
    return app.issueToken({ ...await app.sessionDesk.renew(session), since })
  })
}
