// `npm start`: services found or started, api, worker and relay as processes over them, everything stopped when it is told to.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from '../src/store/migrate.js'
import { announce } from './announcement.js'
import { OwnProcess } from './child-process.js'
import { hindrance } from './hindrance.js'
import { ensureOperator } from './operator.js'
import { logFileOf, RunLog } from './run-log.js'
import { keepEnvironment, PROCESSES } from './running.js'
import { Screen } from './screen.js'
import type { Env } from './service.js'
import { defaultStateDir, findServices, type LocalServices } from './services.js'
import { StopRequest } from './stop-request.js'

interface Start { readonly env: Env, readonly stateDir: string, readonly screen: Screen, readonly stop: StopRequest }

async function start (launch: Start): Promise<number> {
  const { env, stateDir, screen, stop } = launch
  const why = await hindrance(stateDir, env)
  if (why !== null) {
    screen.complain(why)
    return 1
  }
  stop.asked.addEventListener('abort', () => screen.say('stopping: what is under way is finished first (Ctrl-C again: at once)'))
  screen.say('Starting Comanda: its services first')
  const services = await findServices({ env, purpose: 'start', stateDir, say: line => screen.say(`  ${line}`) })
  try {
    return stop.asked.aborted ? 0 : await runProcesses(services, launch)
  } finally {
    await services.stop()
    screen.say('stopped')
  }
}

async function runProcesses (services: LocalServices, launch: Start): Promise<number> {
  const { env, stateDir, screen, stop } = launch
  if (services.postgres.url === null) {
    screen.complain('comanda needs Postgres: set DATABASE_URL to one, or install one')
    return 1
  }
  await migrate(services.postgres.url, { signal: stop.asked, onWait: () => screen.say('  another process creates or changes the tables: waiting for it') })
  const ownEnv = {
    ...env,
    DATABASE_URL: services.postgres.url,
    REDIS_URL: services.redis.url ?? '',
    AMQP_URL: services.rabbitmq.url ?? '',
    JWT_SECRET: env.JWT_SECRET || kept(join(stateDir, 'jwt-secret')),
    EVENT_KEYS: env.EVENT_KEYS || kept(join(stateDir, 'event-key')),
    PSEUDONYM_KEY: env.PSEUDONYM_KEY || kept(join(stateDir, 'pseudonym-key')),
    DATA_KEYS: env.DATA_KEYS || kept(join(stateDir, 'data-key'), () => `local:${randomBytes(32).toString('base64')}`),
    OPS_PORT: '' // all would want the same
  }
  const operator = await operatorLogin(services.postgres.url, ownEnv.PSEUDONYM_KEY, stateDir)
  const processes = PROCESSES.map(name => {
    const log = new RunLog(logFileOf(stateDir, name))
    return new OwnProcess(name, ownEnv, text => { log.append(text); screen.show(name, text) })
  })
  const forget = keepEnvironment(stateDir, ownEnv)
  const ending = new AbortController()
  try {
    void announce(screen, env, operator, AbortSignal.any([stop.asked, ending.signal]))
    return await untilEnded(processes, launch)
  } finally {
    ending.abort()
    forget()
  }
}

/** Resolves when all are gone: with 0 when they were told to and ended in order, 1 otherwise. */
async function untilEnded (processes: readonly OwnProcess[], { screen, stop }: Start): Promise<number> {
  const first = await Promise.race([
    ...processes.map(async each => ({ name: each.name, ...await each.ended })),
    stop.asked.aborted ? null : once(stop.asked, 'abort').then(() => null)
  ])
  if (first !== null) screen.complain(`the ${first.name} ended by itself (${first.signal ?? `exit code ${first.code}`}): stopping the rest`)
  stop.hurried.addEventListener('abort', () => { for (const each of processes) each.kill() })
  const cleanup = await Promise.all(processes.map(async each => await each.stop()))
  return first === null && cleanup.every(({ code }) => code === 0) ? 0 : 1
}

async function operatorLogin (databaseUrl: string, pseudonymKey: string, stateDir: string): Promise<string> {
  const password = kept(join(stateDir, 'operator-password'))
  return await ensureOperator(databaseUrl, pseudonymKey, 'operator', password)
    ? `nick_name "operator", password "${password}"`
    : 'register a user and run `npm run comanda -- users promote <user_id>`'
}

/** A random value that stays the same over restarts. */
function kept (file: string, make = () => randomBytes(24).toString('base64url')): string {
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}

const { env, stdout, stderr } = process
const stop = new StopRequest(env)
const screen = new Screen(stdout, stderr, { terminal: stdout.isTTY, colours: stdout.isTTY && !env.NO_COLOR })
const code = await start({ env, stateDir: env.COMANDA_STATE_DIR ?? defaultStateDir(process.cwd()), screen, stop }).catch((error: Error) => {
  if (error === stop.asked.reason) return 0
  screen.complain(error.message)
  return 1
})
stop.end(code)
