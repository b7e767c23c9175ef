import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { logLine } from '../logs/log-line.js'
import { type Problem, problemBody, type ProblemCode, problems } from './problems.js'

/** What Node never makes a request of is answered on its socket, and logged as any other. */
export function refuseRaw (logger: Parameters<typeof logLine>[0], socket: { end (text: string): unknown }, code: ProblemCode): void {
  const request_id = randomUUID()
  logLine(logger, { event: 'request', request_id, route: 'unknown', status: problems[code].status, duration_ms: 0, reason: code })
  socket.end(rawProblem(code, request_id))
}

function rawProblem (code: ProblemCode, request_id: string): string {
  const body = JSON.stringify(problemBody(code, { instance: '', request_id }))
  const { status, retryAfter }: Problem = problems[code]
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${request_id}`,
    'X-Content-Type-Options: nosniff',
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    'Connection: close',
    '',
    body
  ].join('\r\n')
}
