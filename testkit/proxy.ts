import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What a proxy does with what passes: `refuse` takes no connection; `mute` loses what the service answers, `deaf` what it is
 * asked, `silent` both. Connections that are open stay so.
 */
export type Mode = 'pass' | 'refuse' | 'mute' | 'deaf' | 'silent'

const LOSES: Record<'requests' | 'answers', readonly Mode[]> = { requests: ['deaf', 'silent'], answers: ['mute', 'silent', 'refuse'] }

/** A TCP peer between a process and its service that misbehaves on purpose. */
export class Proxy {
  mode: Mode = 'pass'
  /** Milliseconds that every byte takes longer, each way. */
  delay = 0
  /** Cuts the connection on which a client sends these bytes. */
  cutOn: Buffer | null = null
  /** Forwards these bytes, once, and cuts the connection as the service answers them: the answer is lost. */
  cutAfter: Buffer | null = null
  #target: URL
  readonly #host: string
  readonly #pairs = new Set<Pair>()
  readonly #server: Server

  private constructor (target: URL, host: string) {
    this.#target = target
    this.#host = host
    this.#server = createServer((client) => this.#take(client))
  }

  /** @param url of the service @param host where the proxy listens */
  static async open (url: string, host = '127.0.0.1'): Promise<Proxy> {
    const proxy = new Proxy(new URL(url), host)
    proxy.#server.listen(0, host)
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The service's URL with the proxy's address in place of its own. */
  get url (): string {
    const url = new URL(this.#target)
    url.hostname = this.#host.includes(':') ? `[${this.#host}]` : this.#host
    url.port = String((this.#server.address() as { port: number }).port)
    return url.href
  }

  /** New connections go there from now on, as through a switch that follows the server that leads; those that are open are cut. */
  lead (url: string): void {
    this.#target = new URL(url)
    this.cut()
  }

  /** Clients that are connected now. */
  get connections (): number {
    return this.#pairs.size
  }

  /** Cuts every open connection. (`resetAndDestroy` leaves Node 20 spinning in its own clean-up at exit.) */
  cut (): void {
    for (const pair of this.#pairs) pair.cut()
  }

  /** Cuts those that lost bytes: TCP itself never goes on behind a gap. */
  cutLossy (): void {
    for (const pair of this.#pairs) if (pair.lossy) pair.cut()
  }

  close (): void {
    this.cut()
    this.#server.close()
  }

  #take (client: Socket): void {
    if (this.mode === 'refuse') {
      client.destroy()
      return
    }
    const pair = new Pair(client, connect(Number(this.#target.port), this.#target.hostname), this)
    this.#pairs.add(pair)
    client.once('close', () => this.#pairs.delete(pair))
  }
}

/** Two ends of one connection: who asked, and the service. */
class Pair {
  lossy = false
  readonly #proxy: Proxy
  readonly #ends: readonly Socket[]
  /** The next answer is lost and the connection with it. */
  #lastAnswer = false

  constructor (client: Socket, service: Socket, proxy: Proxy) {
    this.#proxy = proxy
    this.#ends = [client, service]
    for (const end of this.#ends) {
      end.setNoDelay(true)
      end.on('error', () => {})
      end.on('close', () => this.cut())
    }
    this.#carry(client, service, 'requests')
    this.#carry(service, client, 'answers')
  }

  cut (): void {
    for (const end of this.#ends) end.destroy()
  }

  #carry (from: Socket, to: Socket, way: keyof typeof LOSES): void {
    let free = 0
    const write = (bytes: Buffer) => {
      if (to.destroyed || to.write(bytes)) return
      from.pause()
      to.once('drain', () => from.resume())
    }
    from.on('data', (bytes: Buffer) => {
      if (this.#cutsAt(bytes, way)) return this.cut()
      if (LOSES[way].includes(this.#proxy.mode)) {
        this.lossy = true
        return
      }
      // What waits is never overtaken, also when the delay has ended meanwhile.
      const now = performance.now()
      const due = Math.max(now + this.#proxy.delay, free)
      if (due <= now) return write(bytes)
      free = due
      setTimeout(write, due - now, bytes)
    })
  }

  #cutsAt (bytes: Buffer, way: keyof typeof LOSES): boolean {
    if (way === 'answers') return this.#lastAnswer
    const { cutOn, cutAfter } = this.#proxy
    if (cutOn !== null && bytes.includes(cutOn)) return true
    if (cutAfter !== null && bytes.includes(cutAfter)) {
      this.#lastAnswer = true
      this.#proxy.cutAfter = null
    }
    return false
  }
}
