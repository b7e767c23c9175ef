import { urlsOf } from '../addresses/service-urls.js'

/** What protects nothing: secrets that anyone can know or guess. They are judged; their values are never shown. */

/** Stood in this repository's compose file or documents, or is what a server is delivered with. */
const PUBLISHED = new Set(['development-only', 'development-only-development-only', 'guest', 'postgres', 'comanda', 'redis', 'rabbitmq', 'root', 'admin', 'password', 'passw0rd', 'secret', 'hunter2', 'changeme', 'correct horse battery', 'correct horse battery staple'])
/** What a copied example says of itself. */
const EXAMPLE = /develop|change.?(me|this|it)|example|published|replace.?(me|this)|your.?(secret|key|password)|(secret|key|password).?here/i
const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const STEPS = new Set(ROWS.flatMap((row) => Array.from(row).slice(1).flatMap((letter, at) => [row[at]! + letter, letter + row[at]!])))
const PASSWORD_LENGTH = 8
/** Fewer different characters than a random key has. */
const KEY_CHARACTERS = 8
const PASSWORD_CHARACTERS = 3

type Env = Record<string, string | undefined>
const URLS = ['DATABASE_URL', 'REDIS_URL', 'AMQP_URL', 'AMQP_MANAGEMENT_URL'] as const
/** Postgres knows users by a certificate or a socket too. */
const NEEDS_PASSWORD: ReadonlySet<string> = new Set(['REDIS_URL', 'AMQP_URL', 'AMQP_MANAGEMENT_URL'])
const KEYS = ['JWT_SECRET', 'EVENT_KEYS', 'PSEUDONYM_KEY', 'DATA_KEYS'] as const

/**
 * The variables whose secret protects nothing, each with one sentence. Passwords of services that only this machine reaches
 * are let be, unless asked for: a server's default is open there to whoever is on the machine already.
 */
export function weakSecrets (env: Env, { loopback = false } = {}): Map<string, string> {
  const all = URLS.flatMap((name) => loginsIn(env[name]).map((login) => ({ name, ...login })))
  const logins = all.filter(({ password }) => password !== '')
  const open = all.filter(({ name, host, password }) => password === '' && NEEDS_PASSWORD.has(name) && !isLoopback(host))
  const weak = new Map<string, string>(open.map(({ name }) => [name, `${name} is given without a password (set one at the service and here)`]))
  for (const { name, host, user, password } of logins) {
    const why = weaknessOfPassword(password, user)
    if (why && (loopback || !isLoopback(host))) weak.set(name, `${name} is given with a password that is ${why} (set another one at the service and here)`)
  }
  const seen = new Map<string, string>(logins.map(({ name, password }) => [password, name]))
  for (const { name, key } of KEYS.flatMap((name) => keysIn(env[name]).map((key) => ({ name, key })))) {
    const why = weaknessBeside(key.replace(/^[a-z0-9_-]{1,16}:/, ''), name, seen.get(key) ?? name)
    if (why) weak.set(name, `${name} is ${why} (make one by \`openssl rand -hex 32\`)`)
    seen.set(key, name)
  }
  return weak
}

function weaknessBeside (key: string, name: string, other: string): string | null {
  return other === name ? weaknessOfKey(key) : `that of ${other} too: who learns one has both`
}

function keysIn (text = ''): string[] {
  return text.split(',').map((key) => key.trim()).filter((key) => key !== '')
}

/** @returns why a key of 32 characters or more is none; null where nothing speaks against it */
function weaknessOfKey (key: string): string | null {
  return weakness(key, KEY_CHARACTERS)
}

/** @param user whose password it is @returns as above */
function weaknessOfPassword (password: string, user: string): string | null {
  if (password.toLowerCase() === user.toLowerCase()) return 'published: it is the name of its user'
  return weakness(password, PASSWORD_CHARACTERS) ?? (password.length < PASSWORD_LENGTH ? `easily guessed: it has fewer than ${PASSWORD_LENGTH} characters` : null)
}

function weakness (secret: string, characters: number): string | null {
  if (PUBLISHED.has(secret.toLowerCase()) || EXAMPLE.test(secret)) return 'published: it is a default or an example'
  if (new Set(secret).size < characters) return 'easily guessed: it has few different characters'
  if (isRepeated(secret)) return 'easily guessed: it repeats itself'
  return isSequence(secret) ? 'easily guessed: it is a sequence' : null
}

/** One part, again and again: it stands in itself, shifted by that part. */
function isRepeated (secret: string): boolean {
  for (let part = 1; part <= secret.length / 2; part++) if (secret.startsWith(secret.slice(part))) return true
  return false
}

/** Nearly every character is the one before it, or its neighbour in the alphabet, the digits or a row of keys. */
function isSequence (secret: string): boolean {
  const text = secret.toLowerCase()
  const steps = Array.from(text).slice(1).filter((letter, at) => letter === text[at] || STEPS.has(text[at]! + letter)).length
  return steps >= (text.length - 1) * 3 / 4
}

interface Login { host: string, user: string, password: string }

/** Host, user and password in the URL of a service, as its driver takes them, one for each host; none where it cannot be read. */
function loginsIn (text = ''): Login[] {
  try {
    return urlsOf(text).map((one) => loginIn(new URL(one)))
  } catch {
    return []
  }
}

function loginIn (url: URL): Login {
  const given = (name: string, otherwise: string) => url.searchParams.get(name) ?? decodeURIComponent(otherwise)
  const login = { host: given('host', url.hostname), user: given('user', url.username), password: given('password', url.password) }
  return /^amqps?:$/.test(url.protocol) && login.user === '' ? { ...login, user: 'guest', password: 'guest' } : login // amqplib's own
}

/** Reached from this machine alone: what listens there is nobody else's to log in to. */
function isLoopback (host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\]|\/.*)$/i.test(host)
}
