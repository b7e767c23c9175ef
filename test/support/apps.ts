import type { FastifyInstance } from 'fastify'
import type { InjectOptions, Response } from 'light-my-request'
import type { Test } from 'tap'
import { buildApi } from '../../src/api.js'
import { loadConfig, type ProcessName } from '../../src/config.js'
import type { ServiceName } from '../../src/health/health.js'
import { createLogger } from '../../src/logs/logger.js'
import { buildRelay } from '../../src/relay.js'
import { buildWorker } from '../../src/worker.js'
import { Contract } from './contract.js'
import { eventually } from './eventually.js'
import { keepLine, keepPerson } from './personal-data.js'
import type { Place } from './place.js'

export interface LogLine extends Record<string, unknown> { level: string, event: string, msg: string }
export type App = FastifyInstance & { lines: LogLine[] }

/** The real api over the place's services, ready and connected; it closes itself. */
export async function startApi (t: Test, place: Place, env: Record<string, string> = {}): Promise<App> {
  return await start(t, 'api', { ...place.env, ...env })
}

export async function startWorker (t: Test, place: Place, env: Record<string, string> = {}): Promise<App> {
  return await start(t, 'worker', { ...place.env, ...env })
}

export async function startRelay (t: Test, place: Place, env: Record<string, string> = {}): Promise<App> {
  return await start(t, 'relay', { ...place.env, ...env })
}

const BUILD = { api: buildApi, worker: buildWorker, relay: buildRelay }

/** Boots without waiting for any service. */
export async function boot (t: Test, name: ProcessName, env: Record<string, string>): Promise<App> {
  const lines: LogLine[] = []
  const config = loadConfig(name, env, () => 'x'.repeat(32))
  const logger = createLogger(config, {
    write: (line: string) => {
      lines.push(JSON.parse(line))
      keepLine(line)
    }
  })
  const app = Object.assign(await BUILD[name](config, logger), { lines })
  t.teardown(async () => {
    if (!t.passing()) for (const line of lines) t.comment(JSON.stringify(line))
    await app.close()
  })
  await app.ready()
  if (app.hasDecorator('swagger')) holdToContract(app)
  return app
}

/** Whatever the suite asks an api, the answer is held against that api's own OpenAPI document; what was personal in it is kept. */
function holdToContract (app: FastifyInstance): void {
  const inject = app.inject.bind(app) as (request: InjectOptions | string) => Promise<Response>
  const contract = Contract.of(app.swagger())
  app.inject = (async (request: InjectOptions | string) => {
    const response = await inject(request)
    const { method, url } = response.raw.req as { method: string, url: string }
    if (response.statusCode < 300 && typeof request === 'object') keepPerson(request.payload)
    contract.check({ method, url, status: response.statusCode, headers: response.headers, body: response.body })
    return response
  }) as typeof app.inject
}

async function start (t: Test, name: ProcessName, env: Record<string, string>): Promise<App> {
  const app = await boot(t, name, env)
  for (const service of Object.keys(app.health.report()) as ServiceName[]) {
    if (app.health.state(service) !== 'off') await isUp(app, service)
  }
  return app
}

export async function isUp (app: App, service: ServiceName): Promise<void> {
  await eventually(`${service} is up`, () => app.health.state(service) === 'up' || null)
}
