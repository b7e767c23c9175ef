/** Access tokens: JWT by HS256 alone, of an explicit type (RFC 7519; RFC 8725, sections 3.1 and 3.11; RFC 9068, section 2.1). */
import type { FastifyJWTOptions, JWT } from '@fastify/jwt'
import { ProblemError } from '../http/problems.js'
import { UserError } from '../users/errors.js'
import { type Role, ROLES } from '../users/roles.js'
import { type Session, SESSION_S } from '../users/session.js'
import { LARGEST_USER_ID } from '../users/user.js'

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
  iat: number
  exp: number
}

const ISSUER = 'comanda'
const TYPE = 'at+jwt'
/** No token is issued for longer: the greatest TOKEN_SECONDS. */
const LONGEST_S = 900
/** How far the clocks of two apis may be apart. */
const SKEW_S = 60
/** Between scheme and token any number of spaces (RFC 6750, section 2.1). */
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** What @fastify/jwt is registered with for each secret. */
export const JWT_OPTIONS: Pick<FastifyJWTOptions, 'sign' | 'verify'> = {
  sign: { algorithm: 'HS256', header: { typ: TYPE, alg: 'HS256' }, iss: ISSUER, aud: ISSUER },
  verify: { algorithms: ['HS256'], checkTyp: TYPE, allowedIss: ISSUER, allowedAud: ISSUER, requiredClaims: ['sub', 'iat', 'exp', 'iss', 'aud', 'role', 'auth_time'], cache: false }
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
      const claims = this.#verify(BEARER.exec(authorization)?.[1] ?? '')
      if (!isIssuable(claims, Date.now() / 1000)) throw new Error('signed, and nothing that is ever issued')
      const { sub, role, auth_time, epoch = 0, exp } = claims
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

/** Whoever signs with a stolen secret gets no token that outlives what this service would have issued. */
function isIssuable ({ sub, role, epoch = 0, auth_time, iat, exp }: Claims, now: number): boolean {
  if (![auth_time, iat, exp, epoch].every((value) => Number.isSafeInteger(value))) return false
  if (!areStorable(sub, epoch) || !ROLES.includes(role)) return false
  if (iat > now + SKEW_S || auth_time > now + SKEW_S) return false
  return exp - iat <= LONGEST_S && exp <= auth_time + SESSION_S + SKEW_S
}

/** Both are int4 in the tables. */
function areStorable (sub: string, epoch: number): boolean {
  return /^[1-9]\d{0,9}$/.test(sub) && Number(sub) <= LARGEST_USER_ID && epoch >= 0 && epoch <= LARGEST_USER_ID
}

function isExpired (error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED' || code === 'FAST_JWT_EXPIRED'
}
