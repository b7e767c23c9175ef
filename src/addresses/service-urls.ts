/** URLs of backing services: what is wrong with one as people paste it, and how it is shown. */

export type ServiceUrl = 'DATABASE_URL' | 'REDIS_URL' | 'AMQP_URL'
export const SERVICE_URLS: readonly ServiceUrl[] = ['DATABASE_URL', 'REDIS_URL', 'AMQP_URL']

/**
 * Where Postgres is, and what stands in front of it. `transaction`: a pooler that lends a connection of the server for one
 * transaction, so that nothing said in one is known to the next.
 */
export interface Database { readonly url: string, readonly pooling: 'session' | 'transaction' }

const ENCODE = 'in user and password write / as %2F, # as %23, ? as %3F, @ as %40, : as %3A, % as %25'

/** After the host a fragment, an @ in the path, or one where a query's first name would stand. */
const CUT = /#|^[^:]+:\/\/[^/?]*(\/[^?]*@|(\/[^?]*)?\?[^=&]*@)/
const SEVERAL_HOSTS = /^[^:]+:\/\/[^/?]*,[^@/?]*([/?]|$)/

/**
 * Why a URL cannot be used as it stands, without any part of it; null where nothing speaks against it. A driver would take
 * what follows a bare `/`, `#` or `?` of a password for the name of the database, or drop it, and connect somewhere else.
 */
export function faultOfUrl (name: ServiceUrl, text: string): string | null {
  const fault = faultOfText(text)
  if (fault !== null) return fault
  const url = new URL(text)
  if (!isDecodable([url.username, url.password, url.pathname])) return `holds a % that encodes nothing: ${ENCODE}`
  return faultOfPath(name, url)
}

function faultOfText (text: string): string | null {
  if (/\s/.test(text)) return 'holds blanks'
  if (CUT.test(text)) return `holds a special character that is not percent-encoded: ${ENCODE}`
  if (SEVERAL_HOSTS.test(text)) return 'names several hosts, which is not supported: name one, or a name that leads to whichever is in charge'
  return URL.canParse(text) ? null : `is no URL: ${ENCODE}; an IPv6 address stands in brackets`
}

function isDecodable (parts: readonly string[]): boolean {
  try {
    parts.forEach(decodeURIComponent)
    return true
  } catch {
    return false
  }
}

function faultOfPath (name: ServiceUrl, { pathname, searchParams }: URL): string | null {
  const path = pathname.slice(1)
  if (path.includes('/')) return name === 'AMQP_URL' ? 'names a virtual host with a /: write it as %2F' : 'has a path of several parts: it names one database'
  if (name === 'REDIS_URL' && !/^\d*$/.test(path)) return 'names a database that is no number'
  if (name === 'DATABASE_URL' && searchParams.has('target_session_attrs')) return 'asks for target_session_attrs, which is not supported: name the primary, or a name that leads to it'
  return null
}

const MASK = '***'

/** A variable as it may be shown: masked by its name or its shape, so that a new one is not forgotten. */
export function shownValue (name: string, value: unknown): string | number | null {
  if (typeof value !== 'string') return value as number | null
  if (/(SECRET|PASSWORD|TOKEN|KEYS?)$/.test(name)) return MASK
  return value.includes('://') ? maskedUrl(value) : value
}

/** Without its password, and without whatever a query hands on: drivers take passwords there too. */
function maskedUrl (text: string): string {
  if (!URL.canParse(text)) return MASK
  const url = new URL(text)
  if (url.password !== '') url.password = MASK
  else if (url.username !== '') url.username = MASK // of some services it is the secret
  for (const name of url.searchParams.keys()) url.searchParams.set(name, MASK)
  return url.href
}

/** Where a service is, for people: `host:port/path` without user or password. */
export function hostOf (url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname.replace(/\/$/, '')
}
