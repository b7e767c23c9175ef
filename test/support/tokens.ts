import { createHmac } from 'node:crypto'

export type Claims = Record<string, unknown>

/** Signs a JWT by the definition (RFC 7515), not by the library under test, so that it may be as wrong as a test needs. */
export function signToken (secret: string, claims: Claims, header: Record<string, unknown> = { alg: 'HS256', typ: 'at+jwt' }, hash = 'sha256'): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`
}

/** Claims as this service issues them, for a customer who logged in just now. */
export function goodClaims (user_id: number, given: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1000)
  return { sub: String(user_id), role: 'customer', auth_time: now, iat: now, exp: now + 900, iss: 'comanda', aud: 'comanda', ...given }
}

export function claimsOf (token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
}
