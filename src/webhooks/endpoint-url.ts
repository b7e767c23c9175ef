import { addressOf, isPublic, withinAny } from '../addresses/public-addresses.js'

/** Where deliveries may go. */
export interface EndpointPolicy {
  /** Whether `http:` is taken at all. */
  takesPlain: boolean
  /** Whether an address (without brackets) may be connected to. @param protocol `https:` or `http:` */
  allows (address: string, protocol: string): boolean
}

const LONGEST = 2000

/**
 * @param httpsOnly then `http:` leads to these networks alone @param networks `10.0.0.0/8`, `::1/128`; null: every address is allowed
 * @throws Error at what is no network
 */
export function policyOf ({ httpsOnly, networks }: { httpsOnly: boolean, networks: readonly string[] | null }): EndpointPolicy {
  if (networks === null) return { takesPlain: true, allows: () => true }
  const isAllowed = withinAny(networks)
  return {
    takesPlain: !httpsOnly || networks.length > 0,
    allows: (address, protocol) => isAllowed(address) || (isPublic(address) && (protocol === 'https:' || !httpsOnly))
  }
}

/**
 * Why nothing is delivered to this URL, whatever its name leads to; null where nothing speaks against it. Names are judged by
 * their addresses when they are connected to.
 */
export function faultOfEndpoint (text: string, policy: EndpointPolicy): string | null {
  if (text.length > LONGEST || !URL.canParse(text)) return `must be a URL of at most ${LONGEST} characters`
  const url = new URL(text)
  return faultOfForm(url, policy) ?? (isForbidden(url, policy) ? 'leads to an address that is not public' : null)
}

function faultOfForm ({ protocol, username, password, hash }: URL, { takesPlain }: EndpointPolicy): string | null {
  if (protocol !== 'https:' && (!takesPlain || protocol !== 'http:')) return `must begin with https://${takesPlain ? ' or http://' : ''}`
  if (username !== '' || password !== '') return 'must not hold a user or a password: verify the signature instead'
  return hash === '' ? null : 'must not hold a fragment'
}

function isForbidden (url: URL, { allows }: EndpointPolicy): boolean {
  const address = addressOf(url) ?? (isLocalName(url.hostname) ? '127.0.0.1' : null)
  return address !== null && !allows(address, url.protocol)
}

/** RFC 6761, section 6.3: whatever a resolver says. */
function isLocalName (hostname: string): boolean {
  return /(^|\.)localhost\.?$/i.test(hostname)
}
