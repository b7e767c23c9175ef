/** So many time limits passed in so short a time: the service is silent, and each further request would wait for nothing. */
const STRIKES = 5
const WITHIN_MS = 2000

/**
 * Ends the connection to a silent service, so that requests fail at once until it answers again: each of the first few pays
 * the command's time limit, none after that.
 */
export class Breaker {
  readonly #open: () => void
  #strikes: number[] = []

  /** @param open ends the connection; it comes back by itself once the service answers */
  constructor (open: () => void) {
    this.#open = open
  }

  /** A command was not answered in its time. */
  strike (now = performance.now()): void {
    this.#strikes = [...this.#strikes.filter((at) => now - at < WITHIN_MS), now]
    if (this.#strikes.length < STRIKES) return
    this.#strikes = []
    this.#open()
  }
}
