import { constants, fstatSync, openSync, writeSync } from 'node:fs'

/** Of what a reader has not taken yet; beyond it lines are dropped, and counted. */
const MOST_BYTES = 1024 * 1024
/** No event tells that a pipe or a disk has room again: it is tried this often, in milliseconds. */
const RETRY_MS = 20
/** How long a reader who is only slow may take for what is kept when this process ends. */
const LAST_TRIES_MS = 1000
const NEWLINE = 10
/** No waiting brings a reader back. All else passes: a pipe without room, a disk that is full or fails. */
const GONE = new Set<string | undefined>(['EPIPE', 'EBADF', 'ECONNRESET', 'ENOTCONN'])

/** Of this process, since its start. */
export const droppedLines = { count: 0 }

/**
 * Writes to standard output, and nothing that befalls it ends the process or fails a request: a disk that is full, a reader
 * who is gone. A pipe is not waited for either: a reader who stops reading would stop every request, and the end of this
 * process. What is not taken is kept, up to a bound.
 */
export class OutputWriter {
  readonly #fd: number
  readonly #onResume: (lines: number) => void
  #kept: Buffer[] = []
  #bytes = 0
  /** Lines dropped since the last one was taken. */
  #dropped = 0
  #closed = false
  #ending = false
  #timer: NodeJS.Timeout | null = null

  /** @param fd of a pipe it is non-blocking @param onResume told how many lines were dropped, once there is room again */
  constructor (fd: number, onResume: (lines: number) => void) {
    this.#fd = fd
    this.#onResume = onResume
    process.once('exit', () => {
      this.#ending = true
      this.#lastTries()
    })
  }

  /** @param text whole lines */
  write (text: string): void {
    const bytes = Buffer.from(text)
    if (this.#closed || this.#bytes + bytes.length > MOST_BYTES) return this.#drop(bytes)
    this.#kept.push(bytes)
    this.#bytes += bytes.length
    if (this.#ending) this.#lastTries()
    else if (this.#timer === null) this.#drain()
  }

  #drain (): void {
    this.#timer = null
    while (this.#kept[0] && this.#take(this.#kept[0]));
    if (this.#kept.length > 0) this.#timer = setTimeout(() => this.#drain(), RETRY_MS).unref()
    else if (this.#dropped > 0 && !this.#closed) {
      const lines = this.#dropped
      this.#dropped = 0
      this.#onResume(lines)
    }
  }

  /** @returns whether all of it was taken */
  #take (bytes: Buffer): boolean {
    const written = this.#tryToWrite(bytes)
    this.#bytes -= written
    if (written < bytes.length) this.#kept[0] = bytes.subarray(written)
    else this.#kept.shift()
    return written === bytes.length
  }

  #tryToWrite (bytes: Buffer): number {
    try {
      return writeSync(this.#fd, bytes)
    } catch (error) {
      if (!GONE.has((error as NodeJS.ErrnoException).code)) return 0
      this.#closed = true
      return bytes.length
    }
  }

  #drop (bytes: Buffer): void {
    const lines = bytes.reduce((count, byte) => byte === NEWLINE ? count + 1 : count, 0)
    this.#dropped += lines
    droppedLines.count += lines
  }

  #lastTries (): void {
    const end = performance.now() + LAST_TRIES_MS
    const clock = new Int32Array(new SharedArrayBuffer(4))
    while (this.#kept[0] && performance.now() < end) {
      if (!this.#take(this.#kept[0])) Atomics.wait(clock, 0, 0, 2)
    }
  }
}

/**
 * Standard output once more, without blocking, for this process alone: the flag belongs to what is opened, and others may
 * share the pipe. null where it is no pipe (a file never blocks for long), or cannot be opened so.
 */
export function nonBlockingStdout (): number | null {
  try {
    return fstatSync(1).isFIFO() ? openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK) : null
  } catch {
    return null
  }
}
