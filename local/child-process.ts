import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Env } from './service.js'

const CLI = join(import.meta.dirname, '..', 'src', 'cli.js')
/** Milliseconds; it gives itself 4.5 s. */
const END_LIMIT_MS = 7000

export interface Ending { readonly code: number | null, readonly signal: NodeJS.Signals | null }

/**
 * One process of the product, in a session of its own: Ctrl-C reaches it by its launcher alone, so it is told once. It ends
 * by itself when the launcher is gone, which it sees by the channel between them.
 */
export class OwnProcess {
  readonly name: string
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess

  /** @param onText is given whole lines, line ends included, as they come */
  constructor (name: string, env: Env, onText: (text: string) => void) {
    this.name = name
    this.#child = fork(CLI, [name], { env: env as NodeJS.ProcessEnv, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) passWholeLines(stream, onText)
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({ code, signal } as Ending))
  }

  /** In order if it can; killed when that takes too long. */
  async stop (limitMs = END_LIMIT_MS): Promise<Ending> {
    this.#child.kill('SIGTERM')
    const limit = setTimeout(() => this.kill(), limitMs)
    const ending = await this.ended
    clearTimeout(limit)
    return ending
  }

  kill (): void {
    this.#child.kill('SIGKILL')
  }
}

function passWholeLines (stream: Readable, onText: (text: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (piece: string) => {
    const text = rest + piece
    const end = text.lastIndexOf('\n') + 1
    rest = text.slice(end)
    if (end > 0) onText(text.slice(0, end))
  })
  stream.on('end', () => { if (rest !== '') onText(`${rest}\n`) })
}
