import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SESSION_HOURS } from '../../users/session.js'
import { canonicalName } from '../../users/user.js'
import { LoginBody, TokenResponse } from '../users/schemas.js'

/** Tokens: issued for a password, renewed by a token that is still valid. */
export const tokenRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') }) // RFC 6749, section 5.1

  app.post('/auth/token', {
    // One address may guess at many names, and many addresses may guess at one name: each is limited.
    preHandler: app.limitBy(({ body }) => canonicalName((body as LoginBody).nick_name)),
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' }, problems: ['wrong_credentials', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'logIn',
      summary: 'Log in',
      description: 'An unknown nick_name and a wrong password get the same answer. Rate-limited per address and per nick_name.',
      security: [],
      body: LoginBody,
      response: { 200: TokenResponse }
    }
  }, async (request) => {
    const session = await app.userSessions.login(request.body.nick_name, request.body.password)
    return app.issueToken({ ...session, since: Math.floor(Date.now() / 1000) })
  })

  app.post('/auth/token/renew', {
    onRequest: app.authenticate,
    config: { problems: ['session_over'] },
    schema: {
      tags: ['users'],
      operationId: 'renewToken',
      summary: 'Renew a token that is still valid',
      description: `The new token carries the user's current role. A session lasts at most ${SESSION_HOURS} hours and ends when the password is changed.`,
      response: { 200: TokenResponse }
    }
  }, async (request) => {
    const { since, ...session } = app.callerOf(request)
    return app.issueToken({ ...await app.userSessions.renew(session), since })
  })
}
