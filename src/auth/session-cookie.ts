/** The console's session: a token in a cookie that no script reads (RFC 6265; SameSite of RFC 6265bis). */
import { parseCookie, type SerializeOptions, stringifySetCookie } from 'cookie'

const NAME = 'comanda_session'

/** The token that the cookies of a request carry; null: none. */
export function tokenInCookie (header: string | undefined): string | null {
  return header === undefined ? null : parseCookie(header)[NAME] ?? null
}

/** A value for Set-Cookie that lasts until the browser is closed; what it carries expires sooner. @param secure the page came by https */
export function sessionCookie (token: string, secure: boolean): string {
  return stringifySetCookie(NAME, token, attributes(secure))
}

/** A value for Set-Cookie that ends it. */
export function noSessionCookie (secure: boolean): string {
  return stringifySetCookie(NAME, '', { ...attributes(secure), maxAge: 0 })
}

/** Whatever prefix a proxy puts in front: the path is everywhere. */
function attributes (secure: boolean): SerializeOptions {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure }
}
