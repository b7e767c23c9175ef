import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../src/local/ports.js'
import { Child } from './child.js'
import type { Endings } from './endings.js'
import type { Stage } from './stage.js'

const PROJECT = join(import.meta.dirname, '..')
const CLI = join(PROJECT, 'dist', 'cli.js')
const PERSON = { nick_name: 'bench', password: randomBytes(12).toString('hex') }

/** @throws Error with what the compiler said */
export async function build (): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: PROJECT }).catch((error: Error & { stdout?: string }) => {
    throw new Error(`npm run build: ${error.stdout ?? ''}${error.message}`)
  })
}

/** The real processes as production runs them: the built code, NODE_ENV=production, LOG_LEVEL=info into a file. */
export class Comanda {
  readonly #stage: Stage
  readonly #folder: string
  readonly #endings: Endings
  readonly #secret = randomBytes(32).toString('hex')
  readonly #nodeArgs: readonly string[]
  #url = ''
  #workers = 0

  /** @param folder for the logs @param nodeArgs for both processes, as a profiler's */
  constructor (stage: Stage, folder: string, nodeArgs: readonly string[], endings: Endings) {
    this.#stage = stage
    this.#folder = folder
    this.#nodeArgs = nodeArgs
    this.#endings = endings
  }

  get ordersUrl (): string {
    return `${this.#url}/orders`
  }

  /** Starts the api, waits for its services and registers somebody to order. */
  async startApi (): Promise<Child> {
    const port = await freePort()
    this.#url = `http://127.0.0.1:${port}`
    const api = this.#start('api', { PORT: String(port), JWT_SECRET: this.#secret, LOGIN_LIMIT: '100000' })
    await api.whenReady(`${this.#url}/readyz`)
    await this.#post('/users', { ...PERSON, full_name: 'Bench', cpf: '52998224725', email: 'bench@example.com', phone_number: '+55 11 91234-5678' })
    return api
  }

  /** Starts a worker; it may take a moment until it consumes. */
  async startWorker (): Promise<{ worker: Child, ready: () => Promise<void> }> {
    const port = await freePort()
    const worker = this.#start(`worker-${++this.#workers}`, { WORKER_PORT: String(port) })
    return { worker, ready: () => worker.whenReady(`http://127.0.0.1:${port}/readyz`) }
  }

  /** A token lives 15 minutes: every load takes a fresh one. */
  async token (): Promise<string> {
    return (await this.#post('/auth/token', PERSON) as { access_token: string }).access_token
  }

  #start (name: string, env: Record<string, string>): Child {
    const { databaseUrl, redisUrl, redisPrefix, amqpUrl } = this.#stage
    const command = name.split('-')[0]!
    const child = new Child(name, [...this.#nodeArgs, CLI, command], {
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      NODE_OPTIONS: imageNodeOptions(),
      HOST: '127.0.0.1',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: redisPrefix,
      AMQP_URL: amqpUrl,
      ...env
    }, join(this.#folder, `${name}.log`))
    this.#endings.add(name, () => child.stop())
    return child
  }

  async #post (path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(this.#url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }
}

/** The memory bounds that production runs with: measured without them the sizes would be another program's. */
function imageNodeOptions (): string {
  const found = /^ENV NODE_OPTIONS="([^"]*)"$/m.exec(readFileSync(join(PROJECT, 'Dockerfile'), 'utf8'))
  if (!found) throw new Error('the Dockerfile sets no NODE_OPTIONS')
  return found[1]!
}
