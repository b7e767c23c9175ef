import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const LIMIT_BYTES = 16 * 1024 * 1024

/** The lines of one process in one run, in a file that only its owner may read. Of a long run the last 16 to 32 MiB. */
export class RunLog {
  readonly #file: string
  readonly #limitBytes: number
  #descriptor: number | null
  #bytes = 0

  /** Whatever an earlier run left there is gone. */
  constructor (file: string, limitBytes = LIMIT_BYTES) {
    this.#file = file
    this.#limitBytes = limitBytes
    rmSync(before(file), { force: true })
    this.#descriptor = this.#open()
  }

  append (text: string): void {
    try {
      if (this.#bytes > this.#limitBytes) this.#rotate()
      if (this.#descriptor !== null) this.#bytes += writeSync(this.#descriptor, text)
    } catch {
      this.#descriptor = null // a full disk: what is shown on the screen is more than nothing
    }
  }

  #rotate (): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    renameSync(this.#file, before(this.#file))
    this.#descriptor = this.#open()
    this.#bytes = 0
  }

  #open (): number {
    rmSync(this.#file, { force: true })
    return openSync(this.#file, 'a', 0o600)
  }
}

const before = (file: string) => `${file}.1`

export function logFileOf (stateDir: string, name: string): string {
  return join(stateDir, `${name}.log`)
}

/** The files of the present run, the older lines first. @param withOlder those that were put aside too */
export function logFilesIn (stateDir: string, names: readonly string[], withOlder: boolean): string[] {
  return names.map(name => logFileOf(stateDir, name))
    .flatMap(file => withOlder ? [before(file), file] : [file]).filter(file => existsSync(file))
}
