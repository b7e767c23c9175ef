import type { Line } from './parse.js'

/** What went wrong for one reason. */
export interface Reason {
  reason: string
  count: number
  first: string
  last: string
  example: Line
}

/** More different ones are counted together: what is read may be endless. */
const MOST = 1000
const FURTHER = 'further reasons'
const UNNAMED = 'no reason given'

/** Counts lines by their reason; it keeps one example of each, the first. */
export class Reasons {
  readonly #reasons = new Map<string, Reason>()

  add (line: Line): void {
    const { time } = line
    const own = line.reason ?? line.event ?? UNNAMED
    const reason = this.#reasons.has(own) || this.#reasons.size < MOST ? own : FURTHER
    const found = this.#reasons.get(reason)
    if (!found) {
      this.#reasons.set(reason, { reason, count: 1, first: time, last: time, example: line })
      return
    }
    found.count++
    if (time < found.first) found.first = time
    if (time > found.last) found.last = time
  }

  /** The most frequent first. */
  list (): Reason[] {
    return [...this.#reasons.values()].sort((a, b) => b.count - a.count)
  }
}
