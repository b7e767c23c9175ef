import { ownOrigin } from '../addresses/own-address.js'
import { type ProcessName, readSettings } from '../config.js'

const LIMIT_MS = 2000

/** For a container's health check: whether the process that runs here, api or worker, says it is ready. */
export async function runHealth (env: Record<string, string | undefined>): Promise<number> {
  const answers = await Promise.all((['api', 'worker'] as const).map(async (name) => await askReady(name, env)))
  const found = answers.filter((answer) => answer !== null)
  console.log(found.length > 0 ? found.map(({ body }) => body).join('\n') : 'neither api nor worker answers here')
  return found.length > 0 && found.every(({ ok }) => ok) ? 0 : 1
}

async function askReady (name: ProcessName, env: Record<string, string | undefined>): Promise<{ ok: boolean, body: string } | null> {
  const { HOST: host, PORT, WORKER_PORT } = readSettings(env, 'HOST', 'PORT', 'WORKER_PORT')
  const port = name === 'api' ? PORT : WORKER_PORT
  try {
    const answer = await fetch(`${ownOrigin(host, port)}/readyz`, { signal: AbortSignal.timeout(LIMIT_MS) })
    return { ok: answer.ok, body: await answer.text() }
  } catch {
    return null
  }
}
