import { urlsOf } from '../addresses/service-urls.js'

/** Where a service is, taken from its URL. */
export interface Address {
  /** host and port */
  at: string
  host: string
  user: string
  /** database or virtual host */
  name: string
  /** Never shown. */
  password: string
  tls: boolean
  /** the variable that holds it */
  variable: string
}

/** A service as the environment names it. */
export interface Where { url: string, address: Address, env: Readonly<Record<string, string | undefined>> }

const STANDARD: Record<string, { port: number, user: string, name: (user: string) => string }> = {
  postgres: { port: 5432, user: 'postgres', name: (user) => user },
  redis: { port: 6379, user: 'default', name: () => '0' },
  rediss: { port: 6379, user: 'default', name: () => '0' },
  amqp: { port: 5672, user: 'guest', name: () => '/' },
  amqps: { port: 5671, user: 'guest', name: () => '/' }
}

/** @returns of several hosts the first, but for `at`; null where it cannot be read as a URL */
export function addressOf (variable: string, text: string): Address | null {
  try {
    const urls = urlsOf(text).map((one) => new URL(one))
    const { protocol, hostname, username, password, pathname } = urls[0]!
    const standard = STANDARD[protocol.slice(0, -1)] ?? STANDARD.postgres!
    const user = decodeURIComponent(username) || standard.user
    return {
      at: urls.map((url) => `${url.hostname}:${url.port || standard.port}`).join(', '),
      host: hostname,
      user,
      name: decodeURIComponent(pathname.slice(1)) || standard.name(user),
      password: decodeURIComponent(password),
      tls: /^(rediss|amqps):$/.test(protocol) || /[?&]sslmode=(?!disable)/.test(text),
      variable
    }
  } catch {
    return null
  }
}

/** What a service or a library said, without the password, in one short line. */
export function told (error: unknown, { password }: Address): string {
  const { message, code } = error as { message?: string, code?: string | number }
  const text = `${code === undefined ? '' : `${code}: `}${message ?? String(error)}`
  const hidden = password === '' ? text : text.replaceAll(password, '***').replaceAll(encodeURIComponent(password), '***')
  return hidden.replace(/\s+/g, ' ').trim().slice(0, 200)
}
