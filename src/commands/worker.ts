import { setTimeout as wait } from 'node:timers/promises'
import { loadConfig } from '../config.js'
import { logLine } from '../logs/log-line.js'
import { buildWorker } from '../worker.js'
import { serve } from './process.js'

const POLL_MS = 50

/** @param options.once work off both sources and end @param options.limitMs for that; exit code 1 when it was not enough */
export async function runWorker (env: Record<string, string | undefined>, { once, limitMs }: { once: boolean, limitMs: number }): Promise<number> {
  const config = loadConfig('worker', env, () => '')
  const app = await buildWorker(config, undefined, { once })
  if (!once) {
    await serve(app)
    return 0
  }
  await app.ready()
  logLine(app.log, { event: 'started', config: config.shown })
  const deadline = performance.now() + limitMs
  let drained = false
  let cause: unknown
  while (!drained && performance.now() < deadline) {
    drained = await app.drained().catch((error: unknown) => {
      cause = error
      return false
    })
    if (!drained) await wait(POLL_MS)
  }
  if (drained) logLine(app.log, { event: 'drained' })
  else logLine(app.log, { event: 'not_drained', services: app.health.report(), reason: 'limit', ...(cause ? { err: cause } : {}) })
  await app.close()
  logLine(app.log, { event: 'closed' })
  return drained ? 0 : 1
}
