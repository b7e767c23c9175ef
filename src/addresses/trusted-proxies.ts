import { BlockList, isIP } from 'node:net'

export type Trusts = (address: string | undefined) => boolean

/** Words for ranges that proxies are often in. */
const RANGES: Record<string, readonly string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']
}

/** What is wrong with a list of proxies, without any part of it; null where each is an address, a network (`10.0.0.0/8`) or a word above. */
export function trustFault (given: readonly string[]): string | null {
  const words = `addresses, networks (10.0.0.0/8) and ${Object.keys(RANGES).join(', ')} are known; no number of hops, and neither "true" nor a name`
  try {
    trustedProxies(given)
    return null
  } catch {
    return `names what is no address (${words})`
  }
}

/** Whether an address is one of the proxies in front: addresses, networks (`10.0.0.0/8`) and the words above. @throws at what is none of these */
export function trustedProxies (given: readonly string[]): Trusts {
  if (given.length === 0) return () => false
  const list = new BlockList()
  for (const range of given.flatMap((one) => RANGES[one] ?? [one])) add(list, range)
  return (text) => {
    const address = text?.replace(/^::ffff:(?=\d+\.)/i, '') // IPv4 at a socket of both families
    return address !== undefined && isIP(address) !== 0 && list.check(address, familyOf(address))
  }
}

function add (list: BlockList, range: string): void {
  const [address = '', prefix] = range.split('/')
  if (isIP(address) === 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) throw new Error('neither an address nor a network')
  if (prefix === undefined) list.addAddress(address, familyOf(address))
  else list.addSubnet(address, Number(prefix), familyOf(address))
}

function familyOf (address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
