import pg from 'pg'
import { urlsOf } from '../addresses/service-urls.js'

/** A silent server is left for the next; within the time that a connection of a pool may take. */
const PROBE_MS = 700
/** Connections that are opened within this time share one look. */
const FRESH_MS = 1000

interface Server { host: string, port: number }
interface Probe { server: Server, at: string, /** null: it takes writes */ fault: string | Error | null }

/** Tells a URL whose server is to be found from one that is simply connected to. */
export function namesServers (url: string): boolean {
  return wantedOf(url) !== null
}

/** The first of its hosts, and nothing of libpq's in the query that the driver does not know. */
export function firstServer (url: string): string {
  if (!namesServers(url)) return url
  const first = new URL(urlsOf(url)[0]!)
  first.searchParams.delete('target_session_attrs')
  return first.href
}

function wantedOf (url: string): string | null {
  return new URL(urlsOf(url)[0]!).searchParams.get('target_session_attrs')
}

/**
 * Finds which of the hosts of a URL takes writes, as libpq does by `target_session_attrs` (PostgreSQL manual, "Connection
 * Parameters"): `primary`, or `read-write`, which is not read-only by its settings either. Of several that say so the one that was
 * found last is taken, else the first: who asks often does not wander between two servers that both think they lead.
 */
export class WritableServer {
  readonly #urls: readonly string[]
  readonly #readOnlyCounts: boolean
  readonly #now: () => number
  #last: string | null = null
  #look: { at: number, found: Promise<Server> } | null = null

  /** @param now milliseconds that only ever grow */
  constructor (url: string, now: () => number = () => performance.now()) {
    this.#now = now
    this.#readOnlyCounts = wantedOf(url) !== 'primary'
    this.#urls = urlsOf(url).map(firstServer)
  }

  /** @throws NoWritableServer, which names what each said; where none answers, what the first failed with */
  async find (): Promise<Server> {
    const now = this.#now()
    if (!this.#look || now - this.#look.at > FRESH_MS) this.#look = { at: now, found: this.#findNow() }
    return await this.#look.found
  }

  async #findNow (): Promise<Server> {
    const probes = this.#urls.map((url) => ({ url, probe: this.#probe(url) }))
    const seen: Probe[] = []
    for (const { url, probe } of probes.sort((a, b) => Number(b.url === this.#last) - Number(a.url === this.#last))) {
      const found = await probe
      seen.push(found)
      if (found.fault !== null) continue
      this.#last = url
      return found.server
    }
    this.#look = null
    const [first] = seen.map(({ fault }) => fault)
    if (first instanceof Error && seen.every(({ fault }) => fault instanceof Error)) throw first
    throw new NoWritableServer(seen)
  }

  async #probe (url: string): Promise<Probe> {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PROBE_MS, query_timeout: PROBE_MS, application_name: 'comanda probe' })
    client.on('error', () => {}) // the call under way tells it
    const { host, port } = client
    const probe = { server: { host, port }, at: `${host}:${port}` }
    try {
      await client.connect()
      const { rows } = await client.query<{ standby: boolean, read_only: boolean }>(
        "select pg_is_in_recovery() as standby, current_setting('transaction_read_only')::boolean as read_only")
      const { standby, read_only: readOnly } = rows[0]!
      const fault = standby ? 'a standby' : readOnly && this.#readOnlyCounts ? 'read-only' : null
      return { ...probe, fault }
    } catch (error) {
      return { ...probe, fault: error as Error }
    } finally {
      void client.end().catch(() => {})
    }
  }
}

export class NoWritableServer extends Error {
  override readonly name = 'NoWritableServer'

  constructor (seen: readonly Probe[]) {
    super(`no server takes writes: ${seen.map(({ at, fault }) => `${at} is ${fault instanceof Error ? `away (${fault.message || (fault as { code?: string }).code})` : fault}`).join(', ')}`)
  }
}

type Callback = any

/** A client of `Base` that is connected to whichever server takes writes at that moment. */
export function clientOf (server: WritableServer, Base: typeof pg.Client): typeof pg.Client {
  return class extends Base {
    #ended = false

    override connect (callback?: Callback): Callback {
      const connected = server.find().then(async (found) => {
        if (this.#ended) throw new Error('Connection terminated')
        Object.assign(this, found)
        await super.connect()
      })
      if (!callback) return connected
      connected.then(() => process.nextTick(callback, null), (error: Error) => process.nextTick(callback, error))
    }

    override end (callback?: Callback): Callback {
      this.#ended = true
      return callback ? super.end(callback) : super.end()
    }
  }
}
