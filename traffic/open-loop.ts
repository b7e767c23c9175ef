import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'

/** One that is behind begins what is due at once, but reads answers in between. */
const MOST_AT_ONCE = 50

export interface OpenLoopOptions {
  /** Milliseconds from the start, rising. */
  arrivals: Iterable<number>
  /** Visits under way at a time; an arrival beyond that is dropped, and counted. */
  most: number
  /** Begins one. @param due the moment it was meant for, by `performance.now()` */
  visit (due: number): Promise<void>
  onDropped (due: number): void
  /** @param ms behind the moment that it was meant for */
  onBegun (due: number, ms: number): void
  signal: AbortSignal
}

/** Begins each visit at its moment on an absolute schedule, whatever becomes of the earlier ones: what is late catches up. */
export class OpenLoop {
  readonly #options: OpenLoopOptions
  readonly #underWay = new Set<Promise<void>>()

  constructor (options: OpenLoopOptions) {
    this.#options = options
  }

  get underWay (): number {
    return this.#underWay.size
  }

  /** Resolves when every arrival was begun or dropped, and what was begun has ended. @param started by `performance.now()` */
  async run (started: number): Promise<void> {
    const { arrivals, signal } = this.#options
    let behind = 0
    for (const at of arrivals) {
      const due = started + at
      const left = due - performance.now()
      behind = left > 0 ? 0 : behind + 1
      if (left > 0) await wait(Math.ceil(left), undefined, { signal }).catch(() => {})
      else if (behind % MOST_AT_ONCE === 0) await turn()
      if (signal.aborted) break
      this.#arrive(due)
    }
    await Promise.all(this.#underWay)
  }

  #arrive (due: number): void {
    const { most, visit, onBegun, onDropped } = this.#options
    if (this.#underWay.size >= most) return onDropped(due)
    onBegun(due, performance.now() - due)
    const visiting: Promise<void> = visit(due).finally(() => this.#underWay.delete(visiting))
    this.#underWay.add(visiting)
  }
}
