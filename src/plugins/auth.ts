import jwt from '@fastify/jwt'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { type AuthenticatedUser, type Claims, type IssuedToken, JWT_OPTIONS, Tokens } from '../auth/tokens.js'
import { VerifiedTokens } from '../auth/verified-tokens.js'
import { ProblemError } from '../http/problems.js'
import type { Requester } from '../users/actions.js'

declare module 'fastify' {
  interface FastifyRequest { caller: AuthenticatedUser | null }
  interface FastifyInstance {
    /** An onRequest hook: the request goes on with `caller` set, or is answered 401. */
    authenticate: onRequestHookHandler
    /** Who is asking, on an authenticated route. */
    callerOf (request: FastifyRequest): AuthenticatedUser
    /** The same, by the id of this request: for what is recorded. */
    requesterOf (request: FastifyRequest): AuthenticatedUser & Requester
    /** For how many milliseconds the caller's token is good. */
    tokenMsLeft (request: FastifyRequest): number
    /** @throws UserError `session_over` */
    issueToken (user: AuthenticatedUser): IssuedToken
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    namespaces: 'current' | 'previous'
    payload: Omit<Claims, 'exp' | 'iat'>
  }
}

export const authPlugin = fp(async (app) => {
  const { revocations } = app
  const [current, previous] = app.config.jwtSecrets
  if (current === undefined) throw new Error('no secret to sign tokens with')
  for (const [namespace, secret] of Object.entries({ current, ...(previous === undefined ? {} : { previous }) })) await app.register(jwt, { namespace, secret, ...JWT_OPTIONS })
  const tokens = new Tokens({ current: app.jwt.current, previous: previous === undefined ? undefined : app.jwt.previous }, app.config.tokenSeconds)
  const verified = new VerifiedTokens<AuthenticatedUser>()

  const learn = (authorization: string): AuthenticatedUser => {
    const { user, exp } = tokens.read(authorization)
    verified.set(authorization, user, exp)
    return user
  }
  const identify = (authorization: string | undefined): AuthenticatedUser => {
    if (authorization === undefined) throw new ProblemError('token_missing')
    return verified.get(authorization) ?? learn(authorization)
  }

  app.decorateRequest('caller', null)
  // Without a promise on the path of every request: only a session that seems to be over waits for the tables.
  const refuseRevoked = (user: AuthenticatedUser, go: () => void, done: (error: ProblemError) => void) => {
    if (revocations.isRevoked(user)) void revocations.isOver(user).then((over) => over ? done(new ProblemError('token_revoked')) : go())
    else go()
  }
  // A body may take its time: what ended meanwhile must not act any more.
  app.addHook('preHandler', ({ caller }, _reply, done) => {
    if (caller) refuseRevoked(caller, done, done)
    else done()
  })
  app.decorate('authenticate', (request, _reply, done) => {
    let user: AuthenticatedUser
    try {
      user = identify(request.headers.authorization)
    } catch (error) {
      done(error as ProblemError)
      return
    }
    refuseRevoked(user, () => {
      request.caller = user
      done()
    }, done)
  })
  app.decorate('callerOf', ({ caller }: FastifyRequest) => {
    if (!caller) throw new ProblemError('token_missing')
    return caller
  })
  app.decorate('requesterOf', (request: FastifyRequest) => ({ ...app.callerOf(request), request_id: request.id }))
  app.decorate('tokenMsLeft', ({ headers }: FastifyRequest) => (verified.expiry(headers.authorization ?? '') ?? 0) * 1000 - Date.now())
  app.decorate('issueToken', (user: AuthenticatedUser) => tokens.issue(user))
}, { name: 'auth', dependencies: ['config', 'revocations'] })
