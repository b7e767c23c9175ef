import jwt from '@fastify/jwt'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { type AuthenticatedUser, type Claims, type IssuedToken, JWT_OPTIONS, Tokens } from '../auth/tokens.js'
import { noSessionCookie, sessionCookie, tokenInCookie } from '../auth/session-cookie.js'
import { VerifiedTokens } from '../auth/verified-tokens.js'
import { ProblemError } from '../http/problems.js'
import { isOurOwn } from '../http/same-origin.js'
import type { Requester } from '../users/actions.js'

declare module 'fastify' {
  interface FastifyRequest {
    caller: AuthenticatedUser | null
    /** `console`: by the cookie of the operators' page */
    way: 'api' | 'console'
  }
  interface FastifyInstance {
    /** An onRequest hook: the request goes on with `caller` set, or is answered 401. */
    authenticate: onRequestHookHandler
    /** Who is asking, on an authenticated route. */
    callerOf (request: FastifyRequest): AuthenticatedUser
    /** The same, by the id of this request: for what is recorded. */
    requesterOf (request: FastifyRequest): AuthenticatedUser & Requester
    /** For how many milliseconds the caller's token is good. */
    tokenMsLeft (request: FastifyRequest): number
    /** For Set-Cookie. @param token null: the session is over */
    sessionCookie (request: FastifyRequest, token: string | null): string
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

/** What stands for the header in the cookie of a page of ours; null: none. @throws ProblemError `cross_origin` */
function authorizationByCookie (request: FastifyRequest): string | null {
  const token = tokenInCookie(request.headers.cookie)
  if (token === null) return null
  request.way = 'console'
  if (!isOurOwn(request)) throw new ProblemError('cross_origin')
  return `Bearer ${token}`
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
  const identify = (authorization: string | null): AuthenticatedUser => {
    if (authorization === null) throw new ProblemError('token_missing')
    return verified.get(authorization) ?? learn(authorization)
  }
  const authorizationOf = (request: FastifyRequest) => request.headers.authorization ?? (app.config.console ? authorizationByCookie(request) : null)

  app.decorateRequest('caller', null)
  app.decorateRequest('way', 'api')
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
      user = identify(authorizationOf(request))
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
  app.decorate('requesterOf', (request: FastifyRequest) => ({ ...app.callerOf(request), request_id: request.id, way: request.way }))
  app.decorate('tokenMsLeft', (request: FastifyRequest) => (verified.expiry(authorizationOf(request) ?? '') ?? 0) * 1000 - Date.now())
  app.decorate('sessionCookie', ({ protocol }: FastifyRequest, token: string | null) => token === null ? noSessionCookie(protocol === 'https') : sessionCookie(token, protocol === 'https'))
  app.decorate('issueToken', (user: AuthenticatedUser) => tokens.issue(user))
}, { name: 'auth', dependencies: ['config', 'revocations'] })
