import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { LocalServices } from './services.js'
import { defaultStateDir, findServices } from './services.js'
import { migrate } from '../src/store/migrate.js'
import { ensureOperator } from './operator.js'

type Env = Record<string, string | undefined>

const CLI = join(import.meta.dirname, '..', 'src', 'cli.js')
const READY_LIMIT_MS = 20_000

/** `npm start`: services found or started, api and worker as two processes over them, everything stopped on a signal. */
async function start (env: Env): Promise<number> {
  for (const [variable, standard] of [['PORT', 3000], ['WORKER_PORT', 3001]] as const) {
    const port = Number(env[variable] ?? standard)
    if (!await isFree(port, env.HOST)) {
      console.error(`port ${port} is taken: set ${variable} to another`)
      return 1
    }
  }
  const stateDir = env.COMANDA_STATE_DIR ?? defaultStateDir(process.cwd())
  const services = await findServices({ env, purpose: 'start', stateDir, say: console.log })
  try {
    return await runProcesses(services, stateDir, env)
  } finally {
    await services.stop()
    console.log('stopped')
  }
}

async function runProcesses (services: LocalServices, stateDir: string, env: Env): Promise<number> {
  if (services.postgres.url === null) {
    console.error('comanda needs Postgres: set DATABASE_URL to one, or install one')
    return 1
  }
  await migrate(services.postgres.url)
  const password = kept(join(stateDir, 'operator-password'))
  const operator = await ensureOperator(services.postgres.url, 'operator', password)
    ? `nick_name "operator", password "${password}"`
    : 'register somebody and run `comanda users promote <nick_name>`'
  const childEnv = {
    ...env,
    DATABASE_URL: services.postgres.url,
    REDIS_URL: services.redis.url ?? '',
    AMQP_URL: services.rabbitmq.url ?? '',
    JWT_SECRET: env.JWT_SECRET ?? kept(join(stateDir, 'jwt-secret')),
    OPS_PORT: '' // the two would want the same
  }
  const children = ['api', 'worker'].map((name) => fork(CLI, [name], { env: childEnv }))
  const stopped = stopOnSignal(children)
  const api = `http://${env.HOST ?? '127.0.0.1'}:${env.PORT ?? 3000}`
  void whenReady(`${api}/readyz`, children).then((ready) => {
    if (ready) console.log(`\nComanda is ready\n  api       ${api}\n  docs      ${api}/docs\n  worker    http://${env.HOST ?? '127.0.0.1'}:${env.WORKER_PORT ?? 3001}/readyz\n  operator  ${operator}\nCtrl-C stops everything.\n`)
  })
  return await stopped
}

async function isFree (port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer().listen(port, host)
  const free = await once(server, 'listening').then(() => true, () => false)
  server.close()
  return free
}

/** A random value that stays the same over restarts. */
function kept (file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}

/** Resolves when both are gone: 0 after a signal, 1 when one of them ended by itself. */
async function stopOnSignal (children: ChildProcess[]): Promise<number> {
  const exits = children.map(async (child) => await once(child, 'exit'))
  let asked = false
  const stop = () => {
    asked = true
    for (const child of children) child.kill('SIGTERM')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  await Promise.race(exits)
  const bySignal = asked
  if (!bySignal) console.error('one of the two processes ended by itself: stopping the other')
  stop()
  await Promise.all(exits)
  return bySignal ? 0 : 1
}

async function whenReady (url: string, children: ChildProcess[]): Promise<boolean> {
  const deadline = Date.now() + READY_LIMIT_MS
  while (Date.now() < deadline && children.every((child) => child.exitCode === null && child.signalCode === null)) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => null)
    if (answer?.ok) return true
    await wait(50)
  }
  return false
}

process.exitCode = await start(process.env)
