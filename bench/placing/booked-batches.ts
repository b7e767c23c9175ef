import { closeSync, openSync, readSync } from 'node:fs'

interface BatchLine { time: string, source: string, duration_ms: number, applied: number }

/** What a worker's own log says it has booked so far; reading it costs Postgres nothing. */
export class BookedBatches {
  readonly #file: number
  readonly #buffer = Buffer.alloc(1024 * 1024)
  #rest = ''
  applied = 0
  batches = 0
  /** Orders that came by the fallback queue: during the load the broker was too slow for them. */
  byFallback = 0
  /** Begin of the first batch and end of the last, Unix milliseconds. */
  began = Number.NaN
  ended = Number.NaN
  /** Orders by the second in which their batch ended, Unix seconds. */
  readonly bySecond = new Map<number, number>()

  constructor (log: string) {
    this.#file = openSync(log, 'r')
  }

  /** Reads the lines that are new. */
  read (): void {
    for (let bytes = 0; (bytes = readSync(this.#file, this.#buffer)) > 0;) {
      const lines = (this.#rest + this.#buffer.toString('utf8', 0, bytes)).split('\n')
      this.#rest = lines.pop()!
      for (const line of lines) if (line.includes('"event":"batch_booked"')) this.#count(JSON.parse(line) as BatchLine)
    }
  }

  close (): void {
    closeSync(this.#file)
  }

  #count ({ time, source, duration_ms: duration, applied }: BatchLine): void {
    this.ended = Date.parse(time)
    if (this.batches === 0) this.began = this.ended - duration
    this.batches++
    this.applied += applied
    if (source === 'fallback') this.byFallback += applied
    const second = Math.floor(this.ended / 1000)
    this.bySecond.set(second, (this.bySecond.get(second) ?? 0) + applied)
  }
}
