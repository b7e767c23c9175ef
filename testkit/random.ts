/** A generator of its own for whatever must come out the same for the same seed. */
export class Random {
  #state: number

  constructor (seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to below 1 (mulberry32). */
  next (): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  between (least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** A whole number, both ends included. */
  whole (least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance (share: number): boolean {
    return this.next() < share
  }

  pick<T> (from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to pick from')
    return from[Math.floor(this.next() * from.length)]!
  }

  /** One of the names, each as often as its weight says. */
  weighted<Name extends string> (weights: Readonly<Record<Name, number>>): Name {
    const all = Object.entries(weights) as Array<[Name, number]>
    let left = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0)
    return (all.find(([, weight]) => (left -= weight) < 0) ?? all[0]!)[0]
  }

  shuffled<T> (given: readonly T[]): T[] {
    const left = [...given]
    return given.map(() => left.splice(Math.floor(this.next() * left.length), 1)[0]!)
  }
}
