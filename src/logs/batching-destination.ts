import type { DestinationStream } from 'pino'

/** Pino looks for it to tell a line's level before it writes the line. */
const TELLS_LEVEL: unique symbol = Symbol.for('pino.metadata')
const WARN = 40
/** POSIX writes so many bytes to a pipe in one piece (PIPE_BUF, 4096 on Linux): processes that share one do not cut each other's lines. */
const ONE_PIECE = 4096

/**
 * The lines of one turn of the event loop in one write. However this process ends, it can take along only lines of the turn in
 * which it ended, and no warning: that one goes out at once, with what stood before it.
 */
export class BatchingDestination implements DestinationStream {
  readonly [TELLS_LEVEL] = true
  /** Of the line that comes next, as pino numbers levels. */
  lastLevel = 0
  readonly #sink: DestinationStream
  #lines = ''
  #bytes = 0
  #willWrite = false

  /** @param sink has written when it returns */
  constructor (sink: DestinationStream) {
    this.#sink = sink
    process.once('exit', () => this.#write())
  }

  write (line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.#bytes + bytes > ONE_PIECE) this.#write()
    this.#lines += line
    this.#bytes += bytes
    if (this.lastLevel >= WARN) this.#write()
    else this.#writeThisTurn()
  }

  #writeThisTurn (): void {
    if (this.#willWrite) return
    this.#willWrite = true
    setImmediate(() => {
      this.#willWrite = false
      this.#write()
    })
  }

  #write (): void {
    if (this.#bytes === 0) return
    const lines = this.#lines
    this.#lines = ''
    this.#bytes = 0
    this.#sink.write(lines)
  }
}
