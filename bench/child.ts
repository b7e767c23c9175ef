import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const STOP_LIMIT_MS = 10_000
const SERVICES = ['postgres', 'redis', 'rabbitmq']

/** A process of ours with its output in a file. */
export class Child {
  readonly name: string
  readonly log: string
  readonly #process: ChildProcess

  /** @param args what `node` is given */
  constructor (name: string, args: readonly string[], env: Record<string, string>, log: string) {
    this.name = name
    this.log = log
    const file = openSync(log, 'w')
    this.#process = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', file, file] })
    this.#process.on('error', () => {}) // `gone` is true then
    closeSync(file)
  }

  get pid (): number {
    return this.#process.pid ?? 0
  }

  get gone (): boolean {
    return this.#process.pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /**
   * Resolves when this /readyz tells that all three services are up: the word `ready` alone may come before the first is
   * heard of. @throws Error with the end of the log when the process ends before, or after 20 s
   */
  async whenReady (url: string): Promise<void> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline && !this.gone; await wait(25)) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => null)
      const { services } = answer === null ? {} : await answer.json() as { services?: Record<string, { state: string }> }
      if (SERVICES.every((name) => services?.[name]?.state === 'up')) return
    }
    throw this.failure('is not ready')
  }

  failure (what: string): Error {
    return new Error(`${this.name} ${what}; the end of its log:\n${readFileSync(this.log, 'utf8').trim().split('\n').slice(-5).join('\n')}`)
  }

  /** An orderly end, forced after 10 s. */
  async stop (): Promise<void> {
    if (this.gone) return
    const exit = once(this.#process, 'exit')
    const force = setTimeout(() => this.#process.kill('SIGKILL'), STOP_LIMIT_MS)
    this.#process.kill('SIGTERM')
    await exit
    clearTimeout(force)
  }
}
