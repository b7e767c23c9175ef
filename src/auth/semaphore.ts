import { ProblemError } from '../http/problems.js'

interface Waiting { go: () => void, refuse: (error: ProblemError) => void }

/**
 * Lets a few pieces of work run at once; the others wait, each in the line of whoever asked for it, and the lines take turns.
 * Beyond a bound the last of the longest line is refused, so that a flood from one place displaces itself and nobody else.
 */
export class Semaphore {
  #free: number
  readonly #mostWaiting: number
  /** In the order of their turns; none is empty. */
  readonly #lines = new Map<string, Waiting[]>()
  #waiting = 0

  constructor (atOnce: number, mostWaiting: number) {
    this.#free = atOnce
    this.#mostWaiting = mostWaiting
  }

  /** @param line whose work it is @throws ProblemError `busy`, with nothing run */
  async run<T> (work: () => Promise<T>, line = ''): Promise<T> {
    if (this.#free > 0) this.#free--
    else await this.#turn(line)
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  async #turn (name: string): Promise<void> {
    if (this.#waiting >= this.#mostWaiting) this.#makeRoom(this.#lines.get(name)?.length ?? 0)
    await new Promise<void>((resolve, reject) => {
      const line = this.#lines.get(name) ?? []
      line.push({ go: resolve, refuse: reject })
      this.#lines.set(name, line)
      this.#waiting++
    })
  }

  /** @param own length of the line that wants to be longer by one */
  #makeRoom (own: number): void {
    const longest = [...this.#lines.values()].reduce<Waiting[]>((longer, line) => line.length > longer.length ? line : longer, [])
    if (longest.length <= own + 1) throw new ProblemError('busy')
    longest.pop()!.refuse(new ProblemError('busy'))
    this.#waiting--
  }

  #next (): void {
    const [turn] = this.#lines
    if (!turn) {
      this.#free++
      return
    }
    const [name, line] = turn
    this.#lines.delete(name)
    const { go } = line.shift()!
    if (line.length > 0) this.#lines.set(name, line)
    this.#waiting--
    go()
  }
}
