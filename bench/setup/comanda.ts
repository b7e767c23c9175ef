import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../local/ports.js'
import type { Cleanup } from '../../testkit/cleanup.js'
import { LoggedProcess } from '../../testkit/processes.js'
import { untilReady } from '../../testkit/readiness.js'
import type { Environment } from './environment.js'

const PROJECT = join(import.meta.dirname, '../..')
const CLI = join(PROJECT, 'dist', 'cli.js')
const READY_LIMIT_MS = 20_000
/** Where receivers of webhooks are. */
const LOOPBACK = '127.0.0.0/8'
const PERSON = { nick_name: 'bench', password: randomBytes(12).toString('hex') }

/** @throws Error with what the compiler said */
export async function build (): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: PROJECT }).catch((error: Error & { stdout?: string }) => {
    throw new Error(`npm run build: ${error.stdout ?? ''}${error.message}`)
  })
}

/** The real processes as production runs them: the built code, NODE_ENV=production, LOG_LEVEL=info into a file. */
export class Comanda {
  readonly #environment: Environment
  readonly #folder: string
  readonly #cleanup: Cleanup
  readonly #secret = randomBytes(32).toString('hex')
  readonly #eventKey = randomBytes(32).toString('hex')
  readonly #pseudonymKey = randomBytes(32).toString('hex')
  readonly #dataKeys = `bench:${randomBytes(32).toString('base64')}`
  readonly #nodeArgs: readonly string[]
  #url = ''
  #apis = 0
  #workers = 0
  #relays = 0

  /** @param folder for the logs @param nodeArgs for both processes, as a profiler's */
  constructor (environment: Environment, folder: string, nodeArgs: readonly string[], cleanup: Cleanup) {
    this.#environment = environment
    this.#folder = folder
    this.#nodeArgs = nodeArgs
    this.#cleanup = cleanup
  }

  get url (): string {
    return this.#url
  }

  get ordersUrl (): string {
    return `${this.#url}/orders`
  }

  /** Starts the api, waits for its services and registers somebody to order. */
  async startApi (): Promise<LoggedProcess> {
    const { api, url } = await this.startAnotherApi()
    this.#url = url
    await this.#post('/users', { ...PERSON, full_name: 'Bench', cpf: '52998224725', email: 'bench@example.com', phone_number: '+55 11 91234-5678' })
    return api
  }

  /** One more, which takes the same tokens. @param env what it is given besides */
  async startAnotherApi (env: Record<string, string> = {}): Promise<{ api: LoggedProcess, url: string }> {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const api = this.#start(`api-${++this.#apis}`, { PORT: String(port), JWT_SECRET: this.#secret, EVENT_KEYS: this.#eventKey, PSEUDONYM_KEY: this.#pseudonymKey, DATA_KEYS: this.#dataKeys, LOGIN_LIMIT: '100000', ORDERS_PER_MINUTE: '0', WEBHOOK_ALLOW: LOOPBACK, ...env })
    await isReady(api, url)
    return { api, url }
  }

  /** Starts a worker; it may take a moment until it consumes. */
  async startWorker (env: Record<string, string> = {}): Promise<{ worker: LoggedProcess, ready: () => Promise<void> }> {
    const port = await freePort()
    const worker = this.#start(`worker-${++this.#workers}`, { WORKER_PORT: String(port), EVENT_KEYS: this.#eventKey, ...env })
    return { worker, ready: async () => await isReady(worker, `http://127.0.0.1:${port}`) }
  }

  /** Starts a relay. @param options.ready resolves when it is */
  async startRelay ({ ready = true, env = {} as Record<string, string> } = {}): Promise<LoggedProcess> {
    const port = await freePort()
    const relay = this.#start(`relay-${++this.#relays}`, { RELAY_PORT: String(port), DATA_KEYS: this.#dataKeys, WEBHOOK_ALLOW: LOOPBACK, ...env })
    if (ready) await isReady(relay, `http://127.0.0.1:${port}`)
    return relay
  }

  /** A token lives 15 minutes: every load takes a fresh one. */
  async token (): Promise<string> {
    return (await this.#post('/auth/token', PERSON) as { access_token: string }).access_token
  }

  /** Places so many orders in one request, at most 500. @returns their ids */
  async placeBatch (orders: number): Promise<string[]> {
    const line = { item_description: 'Café especial 250 g, torra média ☕', item_quantity: 2, item_price: 4990 }
    const { items } = await this.#post('/orders/batch', Array.from({ length: orders }, () => line), await this.token()) as { items: Array<{ order?: { order_id: string } }> }
    return items.map(({ order }, index) => {
      if (!order) throw new Error(`POST /orders/batch: order ${index} was refused`)
      return order.order_id
    })
  }

  /** So many webhooks of the bench's own user, each to be told the whole feed. */
  async registerWebhooks (count: number, url: string): Promise<void> {
    const token = await this.token()
    for (let made = 0; made < count; made++) {
      const { webhook_id: id } = await this.#post('/webhooks', { url: `${url}/${made}` }, token) as { webhook_id: string }
      await this.#post(`/webhooks/${id}/replay`, { after: 0 }, token)
    }
  }

  /** The answer's bytes. */
  async read (path: string): Promise<string> {
    const answer = await fetch(this.#url + path, { headers: { authorization: `Bearer ${await this.token()}` } })
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    return await answer.text()
  }

  #start (name: string, env: Record<string, string>): LoggedProcess {
    const { databaseUrl, redisUrl, redisPrefix, amqpUrl } = this.#environment
    const command = name.split('-')[0]!
    const own = new LoggedProcess(name, [...this.#nodeArgs, CLI, command], {
      NODE_ENV: 'production',
      METRICS: 'on',
      LOG_LEVEL: 'info',
      NODE_OPTIONS: imageNodeOptions(),
      HOST: '127.0.0.1',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: redisPrefix,
      AMQP_URL: amqpUrl,
      ...env
    }, join(this.#folder, `${name}.log`))
    this.#cleanup.add(name, () => own.stop())
    return own
  }

  async #post (path: string, body: unknown, token?: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    const answer = await fetch(this.#url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }
}

async function isReady ({ name, log, ended }: LoggedProcess, address: string): Promise<void> {
  await untilReady([{ name, address, log, ended }], READY_LIMIT_MS)
}

/** The memory bounds that production runs with: measured without them the sizes would be another program's. */
function imageNodeOptions (): string {
  const found = /^ENV NODE_OPTIONS="([^"]*)"$/m.exec(readFileSync(join(PROJECT, 'Dockerfile'), 'utf8'))
  if (!found) throw new Error('the Dockerfile sets no NODE_OPTIONS')
  return found[1]!
}
