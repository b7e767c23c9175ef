import type { Cleanup } from '../../testkit/cleanup.js'
import { forkScript, nextMessage } from '../script.js'

export interface ListenerJob {
  amqpUrl: string
  /** Of an api. */
  url: string
  token: string
}

/** When each event was heard, Unix milliseconds, by its id. */
export interface Heard {
  exchange: Array<[id: string, at: number]>
  stream: Array<[id: string, at: number]>
}

/** One who listens in a process of its own: to the exchange by a quorum queue, and to the stream. */
export class Listener {
  readonly #child: ReturnType<typeof forkScript>

  private constructor (child: ReturnType<typeof forkScript>) {
    this.#child = child
  }

  /** Resolves when it hears both. @throws Error */
  static async start (job: ListenerJob, cleanup: Cleanup): Promise<Listener> {
    const listener = new Listener(forkScript('load/listener-process.ts', cleanup))
    await listener.#ask<unknown>({ job })
    return listener
  }

  /** What was heard until now is not counted. */
  async begin (): Promise<void> {
    await this.#ask({ begin: true })
  }

  /** What was heard since, when each has heard so many events. @throws Error when they do not come */
  async heard (events: number): Promise<Heard> {
    return (await this.#ask<{ heard: Heard }>({ events })).heard
  }

  /** Takes its queue away. */
  async stop (): Promise<void> {
    await this.#ask({ stop: true })
    this.#child.kill('SIGKILL')
  }

  async #ask<Answer> (message: object): Promise<Answer> {
    const answer = nextMessage<Answer & { error?: string }>(this.#child)
    this.#child.send(message)
    const { error, ...rest } = await answer
    if (error !== undefined) throw new Error(`listener: ${error}`)
    return rest as Answer
  }
}
