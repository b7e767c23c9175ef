import { cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Environment } from './environment.js'

/** Load average a core from which on others are in the way: the api and its services need every core, the bare server two. */
const BUSY = 0.25

export interface Machine extends Partial<Environment['services']> {
  cpu: string
  cores: number
  memory_gib: number
  system: string
  node: string
  load_average_before: number
  /** What others on the machine do to the figures; null: nobody is in the way. */
  busy: string | null
}

/** What the figures were measured on; asked before the bench itself makes the machine busy. */
export function describeMachine (): Machine {
  const load = Math.round(loadavg()[0]! * 100) / 100
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    load_average_before: load,
    busy: load > cpus().length * BUSY
      ? `the machine was busy before the bench began (load average ${load} on ${cpus().length} cores): these figures are too low, the ratios too`
      : null
  }
}
