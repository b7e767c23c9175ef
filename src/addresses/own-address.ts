/** Where a process of this machine that listens on `host` is asked: an address of IPv6 stands in brackets (RFC 3986, section 3.2.2). */
export function ownOrigin (host: string, port: number | string): string {
  const asked = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${asked.includes(':') ? `[${asked}]` : asked}:${port}`
}
