import type { Test } from 'tap'
import { Proxy } from '../../testkit/proxy.js'

/** Between a process and the service at this URL, until the test ends. */
export async function openProxy (t: Test, url: string, host?: string): Promise<Proxy> {
  const proxy = await Proxy.open(url, host)
  t.teardown(() => proxy.close())
  return proxy
}
