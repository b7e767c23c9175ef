import type { Cleanup } from '../../testkit/cleanup.js'
import { forkScript, nextMessage } from '../script.js'

/** A receiver of webhooks in a process of its own. */
export class Receiver {
  readonly url: string
  readonly #child: ReturnType<typeof forkScript>

  private constructor (child: ReturnType<typeof forkScript>, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  static async start (cleanup: Cleanup): Promise<Receiver> {
    const child = forkScript('load/receiver-process.ts', cleanup)
    return new Receiver(child, (await nextMessage<{ port: number }>(child)).port)
  }

  /** How many calls came until now. */
  async calls (): Promise<number> {
    const answer = nextMessage<{ calls: number }>(this.#child)
    this.#child.send({})
    return (await answer).calls
  }

  stop (): void {
    this.#child.kill('SIGKILL')
  }
}
