import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Endings } from '../bench/endings.js'
import { type Link, LINKS } from './faults.js'

/**
 * What a proxy does with what passes: `refuse` takes no connection and cuts those there are; `lose_requests`, `lose_answers` and
 * `silent` (both) take bytes and lose them.
 */
export type Manner = 'pass' | 'refuse' | 'lose_requests' | 'lose_answers' | 'silent'

/** A TCP peer between one kind of process and one service that misbehaves on purpose. */
export class Proxy {
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  readonly #server: Server
  #manner: Manner = 'pass'
  /** Milliseconds that every byte takes longer, each way. */
  delay = 0

  private constructor (target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#take(client))
  }

  static async open (target: number): Promise<Proxy> {
    const proxy = new Proxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port (): number {
    return (this.#server.address() as { port: number }).port
  }

  /** A connection that lost bytes is cut when they would be carried again: TCP never goes on behind a gap. */
  behave (manner: Manner): void {
    this.#manner = manner
    for (const pair of this.#pairs) if (manner === 'refuse' || pair.lossy) pair.cut()
  }

  loses (way: 'requests' | 'answers'): boolean {
    return this.#manner === 'silent' || this.#manner === `lose_${way}`
  }

  /** Cuts every open connection. (`resetAndDestroy` leaves Node 20 spinning in its own clean-up at exit.) */
  cut (): void {
    for (const pair of this.#pairs) pair.cut()
  }

  close (): void {
    this.cut()
    this.#server.close()
  }

  #take (client: Socket): void {
    if (this.#manner === 'refuse') {
      client.destroy()
      return
    }
    const pair = new Pair(client, connect(this.#target, '127.0.0.1'), this)
    this.#pairs.add(pair)
    client.once('close', () => this.#pairs.delete(pair))
  }
}

/** Two ends of one connection: who asked, and the service. */
class Pair {
  lossy = false
  readonly #ends: readonly Socket[]

  constructor (client: Socket, service: Socket, proxy: Proxy) {
    this.#ends = [client, service]
    for (const end of this.#ends) {
      end.setNoDelay(true)
      end.on('error', () => {})
      end.on('close', () => this.cut())
    }
    this.#carry(client, service, proxy, 'requests')
    this.#carry(service, client, proxy, 'answers')
  }

  cut (): void {
    for (const end of this.#ends) end.destroy()
  }

  #carry (from: Socket, to: Socket, proxy: Proxy, way: 'requests' | 'answers'): void {
    let free = 0
    const write = (bytes: Buffer) => {
      if (to.destroyed || to.write(bytes)) return
      from.pause()
      to.once('drain', () => from.resume())
    }
    from.on('data', (bytes: Buffer) => {
      if (proxy.loses(way)) {
        this.lossy = true
        return
      }
      // What waits is never overtaken, also when the delay has ended meanwhile.
      const now = performance.now()
      const due = Math.max(now + proxy.delay, free)
      if (due <= now) return write(bytes)
      free = due
      setTimeout(write, due - now, bytes)
    })
  }
}

/** One proxy for each kind of process and service. @param ports of the services */
export async function openProxies (ports: Record<'broker' | 'postgres' | 'redis', number>, endings: Endings): Promise<Record<Link, Proxy>> {
  const opened = await Promise.all(LINKS.map(async (link) => {
    const proxy = await Proxy.open(ports[link.split('-')[1] as keyof typeof ports])
    endings.add(`proxy ${link}`, () => proxy.close())
    return [link, proxy] as const
  }))
  return Object.fromEntries(opened) as Record<Link, Proxy>
}
