/** URLs of backing services: what is wrong with one as people paste it, and how it is shown. */

export const SERVICE_URLS = ['DATABASE_URL', 'REDIS_URL', 'AMQP_URL', 'AMQP_MANAGEMENT_URL'] as const
export type ServiceUrl = typeof SERVICE_URLS[number]
/** Those where any one host will do, or the right one is found. */
const OF_SEVERAL_HOSTS: ReadonlySet<ServiceUrl> = new Set(['DATABASE_URL', 'AMQP_URL'])

/**
 * Where Postgres is, and what stands in front of it. `transaction`: a pooler that lends a connection of the server for one
 * transaction, so that nothing said in one is known to the next.
 */
export interface Database { readonly url: string, readonly pooling: 'session' | 'transaction' }

const ENCODE = 'in user and password write / as %2F, # as %23, ? as %3F, @ as %40, : as %3A, % as %25'

/** After the host a fragment, an @ in the path, or one where a query's first name would stand. */
const CUT = /#|^[^:]+:\/\/[^/?]*(\/[^?]*@|(\/[^?]*)?\?[^=&]*@)/
/** A comma between two @: one login for each host, or a bare @ in a password. */
const SEVERAL_LOGINS = /^[^:]+:\/\/[^/?]*@[^/?]*,[^/?]*@/
/** Scheme and login, hosts, the rest. */
const PARTS = /^([^:]+:\/\/(?:[^/?]*@)?)([^@/?]*)(.*)$/s

/**
 * One URL for each host that `text` names: `amqp://user:password@a:5672,b:5672/vhost`, as libpq takes them (PostgreSQL manual,
 * "Specifying Multiple Hosts"). Login, path and query stand once and count for all.
 */
export function urlsOf (text: string): string[] {
  const [, login = '', hosts = '', rest = ''] = PARTS.exec(text) ?? []
  return hosts.split(',').map((host) => login + host + rest)
}

/**
 * Why a URL cannot be used as it stands, without any part of it; null where nothing speaks against it. A driver would take
 * what follows a bare `/`, `#` or `?` of a password for the name of the database, or drop it, and connect somewhere else.
 */
export function faultOfUrl (name: ServiceUrl, text: string): string | null {
  const fault = faultOfText(text)
  if (fault !== null) return fault
  const [url, ...others] = urlsOf(text).map((one) => new URL(one)) as [URL, ...URL[]]
  if (!isDecodable([url.username, url.password, url.pathname])) return `holds a % that encodes nothing: ${ENCODE}`
  return faultOfPath(name, url) ?? faultOfHosts(name, url, others.length + 1)
}

function faultOfText (text: string): string | null {
  if (/\s/.test(text)) return 'holds blanks'
  if (CUT.test(text)) return `holds a special character that is not percent-encoded: ${ENCODE}`
  if (SEVERAL_LOGINS.test(text)) return `names a user twice, or holds an @ that is not percent-encoded: user and password stand once, before the first host; ${ENCODE}`
  return urlsOf(text).every((url, _at, { length }) => URL.canParse(url) && (length === 1 || new URL(url).hostname !== '')) ? null : `is no URL: ${ENCODE}; an IPv6 address stands in brackets`
}

function isDecodable (parts: readonly string[]): boolean {
  try {
    parts.forEach(decodeURIComponent)
    return true
  } catch {
    return false
  }
}

function faultOfPath (name: ServiceUrl, { pathname }: URL): string | null {
  const path = pathname.slice(1)
  if (name === 'AMQP_MANAGEMENT_URL') return null
  if (path.includes('/')) return name === 'AMQP_URL' ? 'names a virtual host with a /: write it as %2F' : 'has a path of several parts: it names one database'
  if (name === 'REDIS_URL' && !/^\d*$/.test(path)) return 'names a database that is no number'
  return null
}

/** What libpq calls a session that takes writes; nothing else is of use to this service. */
const WRITABLE = ['read-write', 'primary']

function faultOfHosts (name: ServiceUrl, { searchParams }: URL, hosts: number): string | null {
  if (hosts > 1 && !OF_SEVERAL_HOSTS.has(name)) return 'names several hosts, which is not supported: name one, or a name that leads to whichever is in charge'
  if (name !== 'DATABASE_URL') return null
  const wanted = searchParams.get('target_session_attrs')
  if (wanted === null) return hosts > 1 ? 'names several hosts and does not say which of them is meant: add ?target_session_attrs=read-write' : null
  return WRITABLE.includes(wanted) ? null : `asks for target_session_attrs other than ${WRITABLE.join(' or ')}, which is not supported: every statement goes where orders are written`
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
  const [first, ...others] = urlsOf(text)
  if (!URL.canParse(first!)) return MASK
  const url = new URL(first!)
  if (url.password !== '') url.password = MASK
  else if (url.username !== '') url.username = MASK // of some services it is the secret
  for (const name of url.searchParams.keys()) url.searchParams.set(name, MASK)
  const [, login = '', host = '', rest = ''] = PARTS.exec(url.href) ?? []
  return login + [host, ...others.map((other) => URL.canParse(other) ? new URL(other).host : MASK)].join(',') + rest
}

/** Where a service is, for people: `host:port/path` without user or password, its hosts comma separated. */
export function hostOf (url: string): string {
  const urls = urlsOf(url).map((one) => new URL(one))
  return urls.map(({ host }) => host).join(',') + urls[0]!.pathname.replace(/\/$/, '')
}
