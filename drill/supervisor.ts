import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Endings } from '../bench/endings.js'
import { signal as send } from '../local/processes.js'
import type { ProcessName } from './faults.js'
import type { Random } from './random.js'

const STOP_LIMIT_MS = 10_000
/** As containers are restarted: soon, not at once. Milliseconds. */
const RESTART = [200, 1500] as const

export interface SupervisorOptions {
  name: ProcessName
  /** What `node` is given. */
  args: readonly string[]
  env: Record<string, string>
  /** File for all that it prints, over every restart. */
  log: string
  /** For the length of each pause before a restart. */
  random: Random
}

/** Keeps one process running: whatever ends it, it is started again after a moment. */
export class Supervisor {
  readonly name: ProcessName
  readonly #options: SupervisorOptions
  #child: ChildProcess | null = null
  #restart: NodeJS.Timeout | undefined
  #stopping = false
  /** The next end was asked for. */
  #expected = false
  /** Ends that no fault asked for, as they came. */
  readonly crashes: string[] = []

  constructor (options: SupervisorOptions, endings: Endings) {
    this.name = options.name
    this.#options = options
    endings.add(options.name, () => this.stop())
  }

  start (): void {
    const { args, env, log } = this.#options
    const file = openSync(log, 'a')
    const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', file, file] })
    closeSync(file)
    child.on('error', () => {}) // `exit` is not told of then; nothing runs and readiness never comes
    child.once('exit', (code, signal) => this.#ended(code, signal))
    this.#child = child
  }

  /** Resolves when it is gone, for a signal that ends it. */
  async signal (name: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || isGone(child)) return
    const ends = name === 'SIGKILL' || name === 'SIGTERM'
    if (ends) this.#expected = true
    const exit = once(child, 'exit')
    send(child.pid, name)
    if (ends) await exit
  }

  /** An orderly end, also of a stopped process; forced after 10 s. */
  async stop (): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    if (child?.pid === undefined || isGone(child)) return
    const exit = once(child, 'exit')
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    for (const name of ['SIGTERM', 'SIGCONT'] as const) send(child.pid, name)
    await exit
    clearTimeout(force)
  }

  /** The end of what it printed, for an error message. */
  tail (): string {
    return readFileSync(this.#options.log, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
  }

  #ended (code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#stopping) return
    if (!this.#expected) this.crashes.push(`${this.name} ended by itself (${signal ?? `exit code ${code}`})`)
    this.#expected = false
    this.#restart = setTimeout(() => this.start(), this.#options.random.between(...RESTART))
  }
}

function isGone (child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
