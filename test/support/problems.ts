import type { Response } from 'light-my-request'
import type { Test } from 'tap'

interface Fault { pointer: string, detail: string }
interface Problem { type: string, title: string, status: number, detail: string, instance: string, request_id: string, errors?: Fault[], errors_omitted?: number }

/** What must never reach a client: stacks, SQL, paths, names of parts. */
const INTERNALS = /\bat .+:\d+:\d+|node_modules|\/src\/|\.[jt]s\b|\bselect\b.+\bfrom\b|\binsert into\b|postgres|redis|rabbit|amqp|ajv|fastify|FST_|ERR_|sqlstate|Error:/i

/** Checks that the answer is RFC 9457 problem details of this status and type, complete, for this request and without internals. */
export function isProblem (t: Test, response: Pick<Response, 'statusCode' | 'headers' | 'body'>, status: number, type: string, name = type): Problem {
  const body = parse(response.body)
  const { errors, errors_omitted: _, ...plain } = body
  t.equal(response.statusCode, status, `${name}: status`)
  t.match(response.headers['content-type'], /^application\/problem\+json/, `${name}: content type`)
  t.strictSame(Object.keys(plain).sort(), ['detail', 'instance', 'request_id', 'status', 'title', 'type'], `${name}: members`)
  t.match(plain, { type: `urn:comanda:problem:${type}`, status, title: /^\S/, detail: /^\S/, request_id: response.headers['x-request-id'] ?? 'x-request-id is missing' }, `${name}: problem`)
  t.notOk(plain.instance.includes('?'), `${name}: instance without its query`)
  t.notMatch(JSON.stringify({ ...body, instance: '' }), INTERNALS, `${name}: internals`)
  if (status === 401) t.match(response.headers['www-authenticate'], /^Bearer/, `${name}: challenge`)
  return body
}

/** Where the faults are, each place once. */
export function pointersOf ({ errors = [] }: Problem): string[] {
  return [...new Set(errors.map(({ pointer }) => pointer))].sort()
}

function parse (body: string): Problem {
  try {
    return JSON.parse(body)
  } catch {
    throw new Error(`not JSON: ${body.slice(0, 200)}`)
  }
}
