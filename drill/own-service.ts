import type { Running } from '../local/service.js'
import type { Service } from './faults.js'

/** What faults are done to; of a cluster it is whichever part of it is well. */
export interface DrillService {
  readonly name: Service
  readonly running: Running
  /** Straight to the service, past every proxy. */
  readonly url: string
  /** Resolves when it answers. */
  start (): Promise<void>
  kill (signal: NodeJS.Signals): Promise<void>
  stop (): Promise<void>
}

/** A service of the drill's own that can be taken away and brought back, on the same port and data. */
export class OwnService implements DrillService {
  readonly name: Service
  readonly #start: (port?: number) => Promise<Running>
  #running: Running | null = null
  #port = 0

  constructor (name: Service, start: (port?: number) => Promise<Running>) {
    this.name = name
    this.#start = start
  }

  get running (): Running {
    if (this.#running === null) throw new Error(`${this.name} is not running`)
    return this.#running
  }

  get url (): string {
    return this.running.url
  }

  /** Resolves when it answers. The first start chooses the port, later ones keep it. */
  async start (): Promise<void> {
    this.#running = await this.#start(this.#port === 0 ? undefined : this.#port)
    this.#port = this.#running.port
  }

  async kill (signal: NodeJS.Signals): Promise<void> {
    await this.running.kill(signal)
  }

  async stop (): Promise<void> {
    await this.#running?.stop()
  }
}
