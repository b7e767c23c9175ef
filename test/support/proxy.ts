import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP peer between a process and its service that misbehaves on purpose. */
export interface Proxy {
  /** The given URL with the proxy's address in place of the service's. */
  url: string
  /** `pass` forwards; `refuse` cuts every connection and takes none; `mute` keeps them and loses what the service answers. */
  mode: 'pass' | 'refuse' | 'mute'
  /** Cuts the connection on which a client sends these bytes. */
  cutOn: Buffer | null
  /** Forwards these bytes, once, and cuts the connection as the service answers them: the answer is lost. */
  cutAfter: Buffer | null
  /** Clients that are connected now. */
  readonly connections: number
  /** Cuts every open connection. (`resetAndDestroy` leaves Node 20 spinning in its own clean-up at exit.) */
  cut (): void
}

export async function openProxy (t: Test, url: string): Promise<Proxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (proxy.mode === 'refuse') {
      client.destroy()
      return
    }
    const service = connect(Number(target.port), target.hostname)
    for (const socket of [client, service]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        service.destroy()
      })
    }
    let lost = false
    client.on('data', (bytes) => {
      if (proxy.cutOn !== null && bytes.includes(proxy.cutOn)) return client.destroy()
      if (proxy.cutAfter !== null && bytes.includes(proxy.cutAfter)) {
        lost = true
        proxy.cutAfter = null
      }
      service.write(bytes)
    })
    service.on('data', (bytes) => {
      if (lost) client.destroy()
      else if (proxy.mode === 'pass') client.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = new URL(url)
  own.port = String((server.address() as { port: number }).port)
  const proxy: Proxy = {
    url: own.href,
    mode: 'pass',
    cutOn: null,
    cutAfter: null,
    get connections () { return sockets.size / 2 },
    cut: () => { for (const socket of sockets) socket.destroy() }
  }
  t.teardown(() => {
    proxy.cut()
    server.close()
  })
  return proxy
}
