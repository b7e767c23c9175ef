/** Access tokens: JWT by HS256 alone (RFC 7519; algorithms pinned as RFC 8725, section 3.1 asks). */
import type { FastifyJWTOptions, JWT } from '@fastify/jwt'
import { ProblemError } from '../http/problems.js'
import { UserError } from '../users/errors.js'
import type { Role } from '../users/roles.js'
import { type Session, SESSION_S } from '../users/session.js'

/** Who is asking, as their token says; no database is asked. */
export interface AuthenticatedUser extends Session {
  /** When the user logged in, Unix seconds; the session lasts SESSION_S from it. */
  since: number
}

/** The body of POST /auth/token: RFC 6749, section 5.1. */
export interface IssuedToken {
  access_token: string
  token_type: 'Bearer'
  /** seconds */
  expires_in: number
}

export interface Claims {
  sub: string
  role: Role
  auth_time: number
  /** Of the user's sessions; missing in tokens of the release before. */
  epoch?: number
  exp: number
}

const ISSUER = 'comanda'
const BEARER = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i

/** What @fastify/jwt is registered with for each secret. */
export const JWT_OPTIONS: Pick<FastifyJWTOptions, 'sign' | 'verify'> = {
  sign: { algorithm: 'HS256', iss: ISSUER, aud: ISSUER },
  verify: { algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: ISSUER, requiredClaims: ['sub', 'exp', 'iss', 'aud', 'role', 'auth_time'], cache: false }
}

export interface TokenKeys {
  current: Pick<JWT, 'sign' | 'verify'>
  /** While a secret is rotated it still verifies. */
  previous?: Pick<JWT, 'verify'> | undefined
}

export class Tokens {
  readonly #keys: TokenKeys
  readonly #seconds: number

  /** @param seconds life of a token */
  constructor (keys: TokenKeys, seconds: number) {
    this.#keys = keys
    this.#seconds = seconds
  }

  /** @param authorization the header @throws ProblemError `token_expired`, `token_invalid` */
  read (authorization: string): { user: AuthenticatedUser, exp: number } {
    try {
      const { sub, role, auth_time, epoch = 0, exp } = this.#verify(BEARER.exec(authorization)?.[1] ?? '')
      return { user: Object.freeze({ user_id: Number(sub), role, epoch, since: auth_time }), exp }
    } catch (cause) {
      throw new ProblemError(isExpired(cause) ? 'token_expired' : 'token_invalid', { cause })
    }
  }

  /** @throws UserError `session_over` */
  issue ({ user_id, role, epoch, since }: AuthenticatedUser): IssuedToken {
    const left = since + SESSION_S - Math.floor(Date.now() / 1000)
    if (left <= 0) throw new UserError('session_over')
    const expires_in = Math.min(this.#seconds, left)
    const access_token = this.#keys.current.sign({ sub: String(user_id), role, auth_time: since, epoch }, { expiresIn: expires_in })
    return { access_token, token_type: 'Bearer', expires_in }
  }

  #verify (token: string): Claims {
    const { current, previous } = this.#keys
    try {
      return current.verify<Claims>(token)
    } catch (error) {
      if (!previous || isExpired(error)) throw error
      return previous.verify<Claims>(token)
    }
  }
}

function isExpired (error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED' || code === 'FAST_JWT_EXPIRED'
}
