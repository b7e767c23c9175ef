import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Environment } from '../src/environment.js'
import { holderOf } from './lock.js'
import type { Env } from './service.js'
import { readIfThere, writePrivate } from './state-folder.js'

/** What `npm start` runs as its own processes, by the names of their commands. */
export const PROCESSES = ['api', 'worker', 'relay'] as const

const fileIn = (stateDir: string) => join(stateDir, 'running.json')

const isOurs = (name: string) => name in Environment.properties || name.startsWith('OTEL_')

/** Keeps what the processes were started with, for commands that are to meet them. The function given back forgets it. */
export function keepEnvironment (stateDir: string, env: Env): () => void {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => isOurs(name)))
  writePrivate(fileIn(stateDir), JSON.stringify(own))
  return () => rmSync(fileIn(stateDir), { force: true })
}

/** A variable that the processes were started without is not taken from here either. */
export function environmentOfRunning (stateDir: string, env: Env): Env | 'nothing runs' | 'starting' {
  if (holderOf(stateDir)?.alive !== true) return 'nothing runs'
  const kept = readIfThere(fileIn(stateDir))
  if (kept === null) return 'starting'
  const others = Object.entries(env).filter(([name]) => !isOurs(name))
  return { ...Object.fromEntries(others), ...JSON.parse(kept) as Env }
}
