import type { Cleanup } from '../testkit/cleanup.js'
import { type Ending, LoggedProcess } from '../testkit/processes.js'
import type { Random } from '../testkit/random.js'
import type { ProcessName } from './faults.js'

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
  readonly log: string
  readonly #options: SupervisorOptions
  #running: LoggedProcess | null = null
  #restart: NodeJS.Timeout | undefined
  #stopping = false
  /** The next end was asked for. */
  #expected = false
  /** Ends that no fault asked for, as they came. */
  readonly crashes: string[] = []

  constructor (options: SupervisorOptions, cleanup: Cleanup) {
    this.name = options.name
    this.log = options.log
    this.#options = options
    cleanup.add(options.name, () => this.stop())
  }

  start (): void {
    const { name, args, env, log } = this.#options
    this.#running = new LoggedProcess(name, args, env, log)
    void this.#running.ended.then((ending) => this.#ended(ending))
  }

  /** Resolves when it is gone, for a signal that ends it. */
  async signal (name: NodeJS.Signals): Promise<void> {
    const running = this.#running
    if (running === null || running.gone) return
    const ends = name === 'SIGKILL' || name === 'SIGTERM'
    if (ends) this.#expected = true
    running.signal(name)
    if (ends) await running.ended
  }

  async stop (): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    await this.#running?.stop()
  }

  #ended ({ code, signal }: Ending): void {
    if (this.#stopping) return
    if (!this.#expected) this.crashes.push(`${this.name} ended by itself (${signal ?? `exit code ${code}`})`)
    this.#expected = false
    this.#restart = setTimeout(() => this.start(), this.#options.random.between(...RESTART))
  }
}
