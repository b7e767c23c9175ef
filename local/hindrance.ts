import { once } from 'node:events'
import { createServer } from 'node:net'
import { holderOf } from './lock.js'
import type { Env } from './service.js'

/** Why nothing can be started here, and the way out; null when it can. */
export async function hindrance (stateDir: string, env: Env): Promise<string | null> {
  return running(stateDir) ?? await takenPort(env)
}

function running (stateDir: string): string | null {
  const holder = holderOf(stateDir)
  if (holder?.alive !== true) return null
  return `Comanda is running already: process ${holder.pid}, its data in ${stateDir}.\nFor a second one set COMANDA_STATE_DIR to another folder, PORT, WORKER_PORT and RELAY_PORT to free ports.`
}

async function takenPort (env: Env): Promise<string | null> {
  for (const [variable, standard] of [['PORT', 3000], ['WORKER_PORT', 3001], ['RELAY_PORT', 3003]] as const) {
    const port = Number(env[variable] || standard)
    if (!await isFree(port, env.HOST || '127.0.0.1')) return `port ${port} is taken by another program: set ${variable} to another`
  }
  return null
}

async function isFree (port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host)
  const free = await once(server, 'listening').then(() => true, () => false)
  server.close()
  return free
}
