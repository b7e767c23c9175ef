/** Characters; what has no end after so many is no log line, and is not held. */
export const LONGEST = 1024 * 1024

/** Text that comes in pieces, as lines; it holds one unfinished line at most. A line that is too long is given as its beginning. */
export class LineSplitter {
  #rest = ''
  #tooLong = false

  push (text: string): string[] {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    if (this.#tooLong && lines.length > 0) {
      lines.shift()
      this.#tooLong = false
    }
    if (this.#rest.length > LONGEST) {
      if (!this.#tooLong) lines.push(this.#rest.slice(0, LONGEST))
      this.#rest = ''
      this.#tooLong = true
    } else if (this.#tooLong) {
      this.#rest = ''
    }
    return lines
  }

  /** What stands after the last newline. */
  end (): string[] {
    const last = this.#rest
    this.#rest = ''
    return last === '' ? [] : [last]
  }
}
