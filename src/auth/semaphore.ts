import { ProblemError } from '../http/problems.js'

/** Lets a few pieces of work run at once; the others wait in the order of their coming, and beyond a bound are refused. */
export class Semaphore {
  #free: number
  readonly #mostWaiting: number
  readonly #waiting: Array<() => void> = []

  constructor (atOnce: number, mostWaiting: number) {
    this.#free = atOnce
    this.#mostWaiting = mostWaiting
  }

  /** @throws ProblemError `busy`, with nothing run */
  async run<T> (work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else if (this.#waiting.length < this.#mostWaiting) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else throw new ProblemError('busy')
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
