import type { Writable } from 'node:stream'
import { lineForPeople } from './line-for-people.js'

export interface ScreenOptions { readonly terminal: boolean, readonly colours: boolean }

/**
 * What is seen of `npm start`. On a terminal what a person needs, in the order in which they need it; elsewhere the log lines
 * of its processes as they are, and between them what it says itself.
 */
export class Screen {
  readonly #out: Writable
  readonly #err: Writable
  readonly #options: ScreenOptions
  #readyAt: Date | null = null

  constructor (out: Writable, err: Writable, options: ScreenOptions) {
    this.#out = out
    this.#err = err
    this.#options = options
  }

  say (text: string): void {
    this.#out.write(`${text}\n`)
  }

  complain (text: string): void {
    this.#err.write(this.#options.colours ? `\u001b[31m${text}\u001b[0m\n` : `${text}\n`)
  }

  /** @param text whole lines of this process */
  show (name: string, text: string): void {
    if (!this.#options.terminal) {
      this.#out.write(text)
      return
    }
    for (const line of text.trimEnd().split('\n')) {
      const shown = lineForPeople(name, line, { readyAt: this.#readyAt, colours: this.#options.colours })
      if (shown !== null) this.say(shown)
    }
  }

  /** From now on a person wants to see what happens, no longer how it comes up. */
  ready (banner: string): void {
    this.say(banner)
    this.#readyAt = new Date()
  }
}
