import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { SESSION_HOURS } from '../../users/session.js'
import { LoginBody, TokenResponse } from '../users/schemas.js'
import { logIn } from './log-in.js'

/** Tokens: issued for a password, renewed by a token that is still valid. */
export const tokenRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onSend', async (_request, reply) => { reply.header('cache-control', 'no-store') }) // RFC 6749, section 5.1

  app.post('/auth/token', {
    config: { problems: ['wrong_credentials', 'too_many_requests', 'busy'] },
    schema: {
      tags: ['users'],
      operationId: 'logIn',
      summary: 'Log in',
      description: 'An unknown nick_name and a wrong password get the same answer. Failed logins are limited: for one nick_name from one address, and for all of an address. Very many for one nick_name from everywhere make its logins slower and refuse none.',
      security: [],
      body: LoginBody,
      response: { 200: TokenResponse }
    }
  }, async (request) => (await logIn(app as unknown as FastifyInstance, request as FastifyRequest, request.body)).token)

  app.post('/auth/token/renew', {
    onRequest: app.authenticate,
    config: { problems: ['session_over'] },
    schema: {
      tags: ['users'],
      operationId: 'renewToken',
      summary: 'Renew a token that is still valid',
      description: `The new token carries the user's current role. A session lasts at most ${SESSION_HOURS} hours and ends when the user logs out, the password or the role is changed, or an administrator ends it.`,
      response: { 200: TokenResponse }
    }
  }, async (request) => {
    const { since, ...session } = app.callerOf(request)
    return app.issueToken({ ...await app.userSessions.renew(session), since })
  })

  app.delete('/auth/token', {
    onRequest: app.authenticate,
    schema: {
      tags: ['users'],
      operationId: 'logOut',
      summary: 'Log out',
      description: 'Ends every session of the caller, on every device: tokens belong to a user, not to a device. Each token issued before stops working, including the one used here.',
      response: { 204: Type.Null({ description: 'Logged out everywhere' }) }
    }
  }, async (request, reply) => {
    await app.userSessions.logOut(app.requesterOf(request))
    return await reply.code(204).send(null)
  })
}
