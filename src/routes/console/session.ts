import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IssuedToken } from '../../auth/tokens.js'
import { ProblemError, problems } from '../../http/problems.js'
import { isOurOwn } from '../../http/same-origin.js'
import { UserError } from '../../users/errors.js'
import { logIn } from '../auth/log-in.js'
import { LoginBody } from '../users/schemas.js'
import { ConsoleSession } from './schemas.js'

/** The console's session: for operators, in a cookie. It ends as tokens do; the page renews it while it is in use. */
export const consoleSessionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  if (!app.config.console) return
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') })
  const answer = (request: FastifyRequest, reply: FastifyReply, { user_id }: { user_id: number }, token: IssuedToken) => {
    reply.header('set-cookie', app.sessionCookie(request, token.access_token))
    return { user_id, expires_in: token.expires_in }
  }

  app.post('/console/session', {
    config: { problems: ['wrong_credentials', 'too_many_requests', 'busy', 'forbidden', 'cross_origin'], answers: { 200: { description: 'The session', headers: ['set-cookie'] } } },
    schema: { tags: ['operators'], operationId: 'openConsole', summary: 'Log in to the console', description: 'For a page of this origin: its session is a cookie that no script reads.', security: [], body: LoginBody, response: { 200: ConsoleSession } }
  }, async (request, reply) => {
    if (!isOurOwn(request as FastifyRequest)) throw new ProblemError('cross_origin')
    const { session, token } = await logIn(app as unknown as FastifyInstance, request as FastifyRequest, request.body, ({ role }) => { if (role !== 'operator') throw new UserError('forbidden') })
    return answer(request as FastifyRequest, reply as FastifyReply, session, token)
  })

  app.get('/console/session', {
    // That there is none yet is how each page begins, and no failure.
    onRequest: function (request, reply, done) {
      app.authenticate.call(this, request, reply, (error) => done(error instanceof ProblemError && problems[error.code].status === 401 ? undefined : error))
    },
    schema: { tags: ['operators'], operationId: 'getConsoleSession', summary: 'Whose session of the console it is', security: [], response: { 200: ConsoleSession, 204: Type.Null({ description: 'There is none, or none any more' }) } }
  }, async (request, reply) => {
    if (request.caller === null) return await reply.code(204).send(null)
    const { user_id } = request.caller
    return { user_id, expires_in: Math.floor(app.tokenMsLeft(request as FastifyRequest) / 1000) }
  })

  app.post('/console/session/renew', {
    onRequest: app.authenticate,
    config: { problems: ['session_over', 'forbidden'], answers: { 200: { description: 'The session, renewed', headers: ['set-cookie'] } } },
    schema: { tags: ['operators'], operationId: 'renewConsole', summary: 'Renew the session of the console while it is valid', response: { 200: ConsoleSession } }
  }, async (request, reply) => {
    const { since, ...before } = app.callerOf(request as FastifyRequest)
    const session = await app.userSessions.renew(before)
    if (session.role !== 'operator') throw new UserError('forbidden')
    return answer(request as FastifyRequest, reply as FastifyReply, session, app.issueToken({ ...session, since }))
  })

  app.delete('/console/session', {
    onRequest: app.authenticate,
    config: { answers: { 204: { description: 'Signed out everywhere', headers: ['set-cookie'] } } },
    schema: { tags: ['operators'], operationId: 'closeConsole', summary: 'Sign out of the console', description: 'Ends every session of the caller, as DELETE /auth/token does.', response: { 204: Type.Null({ description: 'Signed out everywhere' }) } }
  }, async (request, reply) => {
    await app.userSessions.logOut(app.requesterOf(request as FastifyRequest))
    return await reply.header('set-cookie', app.sessionCookie(request as FastifyRequest, null)).code(204).send(null)
  })
}
