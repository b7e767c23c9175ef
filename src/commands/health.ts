import { ownOrigin } from '../addresses/own-address.js'
import { type ProcessName, readSettings } from '../config.js'

const LIMIT_MS = 2000

/** For a container's health check: whether the process that runs here, whichever it is, says it is ready. */
export async function runHealth (env: Record<string, string | undefined>): Promise<number> {
  const answers = await Promise.all((['api', 'worker', 'relay'] as const).map(async (name) => await askReady(name, env)))
  const found = answers.filter((answer) => answer !== null)
  console.log(found.length > 0 ? found.map(({ body }) => body).join('\n') : 'no process of Comanda answers here')
  return found.length > 0 && found.every(({ ok }) => ok) ? 0 : 1
}

async function askReady (name: ProcessName, env: Record<string, string | undefined>): Promise<{ ok: boolean, body: string } | null> {
  const { HOST: host, PORT, WORKER_PORT, RELAY_PORT } = readSettings(env, 'HOST', 'PORT', 'WORKER_PORT', 'RELAY_PORT')
  const port = { api: PORT, worker: WORKER_PORT, relay: RELAY_PORT }[name]
  try {
    const answer = await fetch(`${ownOrigin(host, port)}/readyz`, { signal: AbortSignal.timeout(LIMIT_MS) })
    return { ok: answer.ok, body: await answer.text() }
  } catch {
    return null
  }
}
