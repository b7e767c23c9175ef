import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findServices, type FindOptions, type LocalServices } from '../../local/services.js'
import { freshFolder } from '../support/folders.js'

/** The environment of a machine with Node, npm and nothing else: PATH is a folder that holds only what the test puts there. */
export function bareEnv (t: Test, commands: Record<string, string> = {}): { PATH: string, COMANDA_NO_INSTALL: string } {
  const bin = join(freshFolder(t), 'bin')
  mkdirSync(bin)
  const env = { PATH: bin, COMANDA_NO_INSTALL: '1' }
  for (const [name, script] of Object.entries(commands)) putCommand(env, name, script)
  return env
}

export function putCommand (env: { PATH: string }, name: string, script: string): void {
  writeFileSync(join(env.PATH, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

/** Finds services and stops them when the test ends. Lines said are dropped unless the test wants them. */
export async function find (t: Test, options: Omit<FindOptions, 'say'> & { say?: (line: string) => void }): Promise<LocalServices> {
  const services = await findServices({ say: () => {}, ...options })
  t.teardown(() => services.stop())
  return services
}

/** True when something accepts connections there. */
export function isListening (url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise(resolve => {
    const socket = createConnection({ host: hostname, port: Number(port) })
    socket.on('connect', () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(false))
  })
}
