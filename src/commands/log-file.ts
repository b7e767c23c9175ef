import { type FileHandle, open, stat } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { LineSplitter } from '../logs/split.js'

const PIECE = 256 * 1024

/** A file that may grow, be cut short or be replaced by another of its name, as log rotation does. A pipe is read as well. */
export class LogFile {
  readonly #path: string
  #handle: FileHandle
  #decoder = new StringDecoder('utf8')
  #splitter = new LineSplitter()
  #bytes = 0

  private constructor (path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** @throws the system's error, with its `code` */
  static async open (path: string): Promise<LogFile> {
    const handle = await open(path)
    if (!(await handle.stat()).isDirectory()) return new LogFile(path, handle)
    await handle.close()
    throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' })
  }

  /** The lines that came since the last call, a piece at a time. */
  async * lines (): AsyncGenerator<string[]> {
    const piece = Buffer.allocUnsafe(PIECE)
    for (;;) {
      const { bytesRead } = await this.#handle.read(piece, 0, PIECE, null)
      if (bytesRead === 0) return
      this.#bytes += bytesRead
      yield this.#splitter.push(this.#decoder.write(piece.subarray(0, bytesRead)))
    }
  }

  /** Whether the name now stands for another file, or for less than was read. Asked before the last lines of the old one are read. */
  async isReplaced (): Promise<boolean> {
    const there = await stat(this.#path).catch(() => null)
    const mine = await this.#handle.stat()
    return there !== null && (there.ino !== mine.ino || there.dev !== mine.dev || (there.isFile() && there.size < this.#bytes))
  }

  /** Goes on at the top of what the name now stands for. */
  async reopen (): Promise<void> {
    const handle = await open(this.#path).catch(() => null)
    if (!handle) return
    await this.close()
    this.#handle = handle
    this.#bytes = 0
  }

  /** What stands after the last newline. */
  end (): string[] {
    return [...this.#splitter.push(this.#decoder.end()), ...this.#splitter.end()]
  }

  async close (): Promise<void> {
    await this.#handle.close()
  }
}
