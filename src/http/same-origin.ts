import type { FastifyRequest } from 'fastify'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request that acts by a cookie was made by a page of ours. A browser names the page's origin in every unsafe request, and in
 * Sec-Fetch-Site what it is to this address (Fetch Metadata), which no page can set and no proxy rewrites; browsers and connections
 * that send none are judged by the host.
 */
export function isOurOwn ({ method, headers, host }: Pick<FastifyRequest, 'method' | 'headers' | 'host'>): boolean {
  if (SAFE.has(method)) return true
  const { origin, 'sec-fetch-site': site } = headers
  if (origin === undefined) return false
  if (site !== undefined) return site === 'same-origin'
  return URL.canParse(origin) && new URL(origin).host === host
}
