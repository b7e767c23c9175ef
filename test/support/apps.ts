import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApi } from '../../src/api.js'
import { loadConfig } from '../../src/config.js'
import { createLogger } from '../../src/plugins/logger.js'
import type { ServiceName } from '../../src/plugins/health.js'
import { buildWorker } from '../../src/worker/worker.js'
import { eventually } from './eventually.js'
import type { Place } from './place.js'

export interface LogLine extends Record<string, unknown> { level: string, msg: string }
export type App = FastifyInstance & { lines: LogLine[] }

/** The real api over the place's services, ready and connected; it closes itself. */
export async function startApi (t: Test, place: Place, env: Record<string, string> = {}): Promise<App> {
  return await start(t, 'api', { ...place.env, ...env })
}

export async function startWorker (t: Test, place: Place, env: Record<string, string> = {}): Promise<App> {
  return await start(t, 'worker', { ...place.env, ...env })
}

/** Boots without waiting for any service. */
export async function boot (t: Test, name: 'api' | 'worker', env: Record<string, string>): Promise<App> {
  const lines: LogLine[] = []
  const config = loadConfig(name, env, () => 'x'.repeat(32))
  const logger = createLogger(config, { write: (line: string) => { lines.push(JSON.parse(line)) } })
  const app = Object.assign(name === 'api' ? await buildApi(config, logger) : await buildWorker(config, logger), { lines })
  t.teardown(async () => {
    if (!t.passing()) for (const line of lines) t.comment(JSON.stringify(line))
    await app.close()
  })
  await app.ready()
  return app
}

async function start (t: Test, name: 'api' | 'worker', env: Record<string, string>): Promise<App> {
  const app = await boot(t, name, env)
  for (const service of ['postgres', 'redis', 'rabbitmq'] as const) {
    if (app.health.state(service) !== 'off') await isUp(app, service)
  }
  return app
}

export async function isUp (app: App, service: ServiceName): Promise<void> {
  await eventually(`${service} is up`, () => app.health.state(service) === 'up' || null)
}
