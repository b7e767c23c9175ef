import ipaddr from 'ipaddr.js'

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/** Every address that is not the public internet's is forbidden; IPv6 outside of 2000::/3 altogether, so also what embeds IPv4. */
export function isPublic (address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address) // ::ffff:127.0.0.1 is 127.0.0.1
  if (parsed.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(GLOBAL_UNICAST)
}

/** What is wrong with a list of networks, without any part of it; null where each is one. */
export function networksFault (networks: readonly string[]): string | null {
  return networks.every((network) => ipaddr.isValidCIDR(network)) ? null : 'names what is no network: write 10.0.0.0/8, one address as 127.0.0.1/32'
}

/** @throws Error at what is no network */
export function withinAny (networks: readonly string[]): (address: string) => boolean {
  const known: Network[] = networks.map((network) => ipaddr.parseCIDR(network))
  return (address) => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return known.some(([network, prefix]) => network.kind() === parsed.kind() && parsed.match(network as never, prefix))
  }
}

/** The host of a URL as an address; null where it is a name. WHATWG URL has made 127.0.0.1 of 0x7f000001, 2130706433 and 127.1. */
export function addressOf ({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return ipaddr.isValid(bare) ? bare : null
}
