import { isIP } from 'node:net'

/**
 * The address that a proxy told, without port, quotes and zone. What is none is the client's own invention, told on by the proxy:
 * a limit by it would be a new one for each word, so it counts as the proxy.
 */
export function clientAddress (told: string, socketAddress: string): string {
  const [, bracketed, dotted] = /^"?(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?"?$/.exec(told) ?? []
  const address = (bracketed ?? dotted ?? told).replace(/%.*$/s, '')
  return isIP(address) === 0 ? socketAddress : address
}
