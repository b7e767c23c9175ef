import pg from 'pg'
import { askPort } from './ports.js'

/** True when a Postgres server lets us in at this URL within the limit (milliseconds) and runs a statement. */
export async function postgresAnswers (url: string, limitMs: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: limitMs, query_timeout: limitMs })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** True when a Redis server takes the URL's password (if there is one) and answers PING within the limit. */
export async function redisAnswers (url: string, limitMs: number): Promise<boolean> {
  const { password } = new URL(url)
  const login = password === '' ? '' : `AUTH ${decodeURIComponent(password)}\r\n`
  const answer = await askPort(placeOf(url, 6379), `${login}PING\r\n`, bytes => /\+PONG|-\w+/.test(bytes.toString('latin1')), limitMs)
  return answer?.toString('latin1').includes('+PONG') ?? false
}

/** True when an AMQP 0-9-1 broker greets us within the limit. Credentials are not tried. */
export async function rabbitAnswers (url: string, limitMs: number): Promise<boolean> {
  const header = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])
  const answer = await askPort(placeOf(url, 5672), header, bytes => bytes.length > 10, limitMs)
  // a method frame holding connection.start; a broker of another version sends its own "AMQP" header instead
  return answer !== null && answer[0] === 1 && answer.readUInt16BE(7) === 10
}

/** Of an IPv6 address without the brackets that a URL needs. */
function placeOf (url: string, standardPort: number): { host: string, port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || standardPort) }
}
