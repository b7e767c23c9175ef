import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { UserError } from '../users/errors.js'
import type { Role } from '../users/roles.js'
import type { Session } from '../users/user.js'
import { ProblemError } from './errors.js'
import { KnownTokens } from './known-tokens.js'

/** Who is asking, as their token says; no database is asked. */
export interface Caller extends Session {
  /** When the person logged in, Unix seconds; a session lasts SESSION_S from it, however often it is renewed. */
  since: number
}

/** The body of POST /auth/token: RFC 6749, section 5.1. */
export interface IssuedToken {
  access_token: string
  token_type: 'Bearer'
  /** seconds */
  expires_in: number
}

declare module 'fastify' {
  interface FastifyRequest { caller: Caller | null }
  interface FastifyInstance {
    /** An onRequest hook: the request goes on with `caller` set, or is answered 401. */
    authenticate: onRequestHookHandler
    /** Who is asking, on an authenticated route. */
    callerOf (request: FastifyRequest): Caller
    /** @throws UserError `session_over` */
    issueToken (caller: Caller): IssuedToken
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    namespaces: 'current' | 'previous'
    payload: Omit<Claims, 'exp'>
  }
}

interface Claims {
  sub: string
  role: Role
  auth_time: number
  /** Of the user's sessions; missing in tokens of the release before. */
  epoch?: number
  exp: number
}

export const SESSION_S = 12 * 3600
const ISSUER = 'comanda'
const BEARER = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i

/** JWT by HS256 alone (RFC 7519; algorithms pinned as RFC 8725, section 3.1 asks). While a secret is rotated the previous one still verifies. */
export const authPlugin = fp(async (app) => {
  const { revocations } = app
  const [current, previous] = app.config.jwtSecrets
  if (current === undefined) throw new Error('no secret to sign tokens with')
  for (const [namespace, secret] of Object.entries({ current, ...(previous === undefined ? {} : { previous }) })) {
    await app.register(jwt, {
      namespace,
      secret,
      sign: { algorithm: 'HS256', iss: ISSUER, aud: ISSUER },
      verify: { algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: ISSUER, requiredClaims: ['sub', 'exp', 'iss', 'aud', 'role', 'auth_time'], cache: false }
    })
  }

  const verify = verifier(app.jwt, previous !== undefined)
  app.decorateRequest('caller', null)
  const known = new KnownTokens<Caller>()
  const learn = (authorization: string): Caller => {
    try {
      const { sub, role, auth_time, epoch = 0, exp } = verify(BEARER.exec(authorization)?.[1] ?? '')
      const verified = Object.freeze({ user_id: Number(sub), role, epoch, since: auth_time })
      known.set(authorization, verified, exp)
      return verified
    } catch (cause) {
      throw new ProblemError(isExpired(cause) ? 'token_expired' : 'token_invalid', { cause })
    }
  }
  const identify = (authorization: string | undefined): Caller => {
    if (authorization === undefined) throw new ProblemError('token_missing')
    const caller = known.get(authorization) ?? learn(authorization)
    if (revocations.isRevoked(caller)) throw new ProblemError('token_revoked')
    return caller
  }
  app.decorate('authenticate', (request, _reply, done) => {
    try {
      request.caller = identify(request.headers.authorization)
    } catch (error) {
      done(error as ProblemError)
      return
    }
    done()
  })

  app.decorate('callerOf', ({ caller }: FastifyRequest) => {
    if (!caller) throw new ProblemError('token_missing')
    return caller
  })

  app.decorate('issueToken', ({ user_id, role, epoch, since }: Caller) => {
    const left = since + SESSION_S - Math.floor(Date.now() / 1000)
    if (left <= 0) throw new UserError('session_over')
    const expires_in = Math.min(app.config.tokenSeconds, left)
    const access_token = app.jwt.current.sign({ sub: String(user_id), role, auth_time: since, epoch }, { expiresIn: expires_in })
    return { access_token, token_type: 'Bearer', expires_in } as const
  })
}, { name: 'auth', dependencies: ['config', 'errors', 'revocations'] })

function verifier (keys: FastifyInstance['jwt'], rotating: boolean): (token: string) => Claims {
  return (token) => {
    try {
      return keys.current.verify<Claims>(token)
    } catch (error) {
      if (!rotating || isExpired(error)) throw error
      return keys.previous.verify<Claims>(token)
    }
  }
}

function isExpired (error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED' || code === 'FAST_JWT_EXPIRED'
}
