import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Trusts } from '../addresses/trusted-proxies.js'

const SANE = /^[\w.:-]{1,64}$/

/** A request's id proves something only if no client can choose it: it is ours, or that of a proxy which is trusted. */
export function requestIds (trusts: Trusts): (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string {
  return ({ headers, socket }) => {
    const given = saneId(headers)
    return given !== undefined && trusts(socket.remoteAddress) ? given : randomUUID()
  }
}

/** What a client calls its request, if that is not the request's id anyway; it stands beside it in the log. */
export function clientRequestId ({ id, headers }: { id: string, headers: IncomingHttpHeaders }): string | undefined {
  const given = saneId(headers)
  return given === id ? undefined : given
}

function saneId (headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-request-id']
  return typeof given === 'string' && SANE.test(given) ? given : undefined
}
