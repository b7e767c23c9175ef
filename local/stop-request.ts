import { isatty } from 'node:tty'
import { commandName, parentOf } from './processes.js'
import type { Env } from './service.js'

/** One Ctrl-C comes twice: from the terminal, and handed on by npm. What comes later than this is impatience. */
const SAME_REQUEST_MS = 1000
const NPM_LOOK_MS = 500

/** When everything is to stop: on a signal, when the terminal or the reader of the output is gone, when npm is gone. */
export class StopRequest {
  readonly #asked = new AbortController()
  readonly #hurried = new AbortController()
  readonly #onTerminal = [0, 1, 2].some(fd => isatty(fd))
  #hungUp = false
  #last = 0

  constructor (env: Env) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#bySignal())
    process.on('SIGHUP', () => this.#hangUp())
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => this.#hangUp())
    if (env.npm_lifecycle_event === 'start') this.#watchNpm()
  }

  get asked (): AbortSignal {
    return this.#asked.signal
  }

  /** It was asked a second time: at once, then. A third time ends this process as it stands. */
  get hurried (): AbortSignal {
    return this.#hurried.signal
  }

  /** The last thing to call. An exit would set the modes of a terminal that is gone: Node 20 aborts over it. */
  end (code: number): void {
    process.exitCode = code
    if (this.#hungUp && this.#onTerminal) process.removeAllListeners('SIGHUP').kill(process.pid, 'SIGHUP')
  }

  #bySignal (): void {
    const again = this.asked.aborted && Date.now() - this.#last > SAME_REQUEST_MS
    if (again && this.hurried.aborted) process.exit(1)
    if (again) this.#hurried.abort()
    if (again || !this.asked.aborted) this.#last = Date.now()
    this.#asked.abort()
  }

  #hangUp (): void {
    this.#hungUp = true
    if (!this.asked.aborted) this.#last = Date.now()
    this.#asked.abort()
  }

  /** npm runs a script by a shell, and not every shell makes way for what it runs. */
  #watchNpm (): void {
    const parent = process.ppid
    const npm = isShell(parent) ? parentOf(parent) : null
    const isGone = () => process.ppid !== parent || (npm !== null && parentOf(parent) !== npm)
    setInterval(() => { if (isGone()) this.#asked.abort() }, NPM_LOOK_MS).unref()
  }
}

const isShell = (pid: number) => /^-?(ba|da|k|z|a)?sh$/.test(commandName(pid))
