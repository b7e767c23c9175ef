import type { FastifyRequest } from 'fastify'
import type { Trusts } from '../addresses/trusted-proxies.js'

const YEAR_SECONDS = 365 * 24 * 3600

/** Whatever is answered, no browser takes it for something else. */
export const NOSNIFF = { 'x-content-type-options': 'nosniff' } as const
const HTTPS_ONLY = { 'strict-transport-security': `max-age=${YEAR_SECONDS}` } as const

/** On every answer. That a request came by https only a trusted proxy can say: this service speaks plain HTTP. */
export function answerHeaders (request: Pick<FastifyRequest, 'id' | 'headers' | 'socket'>, trusts: Trusts): Record<string, string> {
  const own = { 'x-request-id': request.id, ...NOSNIFF }
  const protocols = request.headers['x-forwarded-proto']
  const secure = typeof protocols === 'string' && /(^|,\s*)https$/.test(protocols) && trusts(request.socket.remoteAddress)
  return secure ? { ...own, ...HTTPS_ONLY } : own
}
