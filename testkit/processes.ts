import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

const STOP_LIMIT_MS = 10_000
const LAST_LINES = 5

export interface Ending { code: number | null, signal: NodeJS.Signals | null }

/** A Node process that knows nothing of our environment but PATH. */
export class NodeProcess {
  readonly child: ChildProcess
  /** Resolves when it is gone and all that it printed has come; also when it could not be started. */
  readonly ended: Promise<Ending>

  /** @param args what `node` is given */
  constructor (args: readonly string[], env: NodeJS.ProcessEnv, stdio: StdioOptions) {
    this.child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio })
    this.child.on('error', () => {}) // `gone` is true then
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })))
  }

  /** 0 when it could not be started */
  get pid (): number {
    return this.child.pid ?? 0
  }

  get gone (): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null
  }

  signal (name: NodeJS.Signals): void {
    if (!this.gone) this.child.kill(name)
  }

  /** An orderly end, also of a stopped process; forced after 10 s. */
  async stop (): Promise<void> {
    if (this.gone) return
    const force = setTimeout(() => this.signal('SIGKILL'), STOP_LIMIT_MS)
    for (const name of ['SIGTERM', 'SIGCONT'] as const) this.signal(name)
    await this.ended
    clearTimeout(force)
  }
}

/** One whose output is kept in a file, behind what is there already. */
export class LoggedProcess extends NodeProcess {
  readonly name: string
  readonly log: string

  constructor (name: string, args: readonly string[], env: NodeJS.ProcessEnv, log: string) {
    const file = openSync(log, 'a')
    try {
      super(args, env, ['ignore', file, file])
    } finally {
      closeSync(file)
    }
    this.name = name
    this.log = log
  }

  failure (what: string): Error {
    return new Error(`${this.name} ${what}; the end of its log:\n${endOf(this.log)}`)
  }
}

/** The last lines of a log, for an error message. */
export function endOf (log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n')
}
