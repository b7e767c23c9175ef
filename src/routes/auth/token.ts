import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LoginBody, TokenShown } from '../../users/schemas.js'

/** Tokens: given for a password, renewed by one that is still valid. */
export const tokenRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') }) // RFC 6749, section 5.1

  app.post('/auth/token', {
    config: { rateLimit: { max: app.config.loginLimit, timeWindow: '1 minute' } },
    schema: { tags: ['users'], summary: 'Log in', security: [], body: LoginBody, response: { 200: TokenShown } }
  }, async (request) => {
    const user = await app.userDesk.login(request.body.nick_name, request.body.password)
    return app.issueToken({ ...user, since: Math.floor(Date.now() / 1000) })
  })

  app.post('/auth/token/renew', {
    onRequest: app.authenticate,
    schema: {
      tags: ['users'],
      summary: 'Renew a token that is still valid',
      description: 'No database is asked, so an outage stops nobody who is at work. A session lasts at most 12 hours.',
      response: { 200: TokenShown }
    }
  }, async (request) => app.issueToken(app.callerOf(request)))
}
