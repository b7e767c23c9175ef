import { setTimeout as wait } from 'node:timers/promises'
import type { LoggedProcess } from '../../testkit/processes.js'
import type { Comanda } from '../setup/comanda.js'
import { BookedBatches } from './booked-batches.js'
import { cpuTime, peakMemory } from './proc.js'

const POLL_MS = 50
const SETTLED_POLLS = 16
const STANDSTILL_POLLS = 1200

interface Worker { own: LoggedProcess, booked: BookedBatches }

/** Workers under measurement, and what their logs say they have booked. */
export class Workers {
  readonly #workers: readonly Worker[]

  /** @param count started at once; resolves before they consume unless `ready` */
  static async start (comanda: Comanda, { count = 1, ready = true } = {}): Promise<Workers> {
    const started = await Promise.all(Array.from({ length: count }, () => comanda.startWorker()))
    if (ready) await Promise.all(started.map((one) => one.ready()))
    return new Workers(started.map(({ worker }) => ({ own: worker, booked: new BookedBatches(worker.log) })))
  }

  constructor (workers: readonly Worker[]) {
    this.#workers = workers
  }

  get pids (): number[] {
    return this.#workers.map(({ own }) => own.pid)
  }

  get applied (): number {
    return this.#sum(({ applied }) => applied)
  }

  get batches (): number {
    return this.#sum(({ batches }) => batches)
  }

  get byFallback (): number {
    return this.#sum(({ byFallback }) => byFallback)
  }

  /** Begin of the first batch, Unix milliseconds; not a number before it ended. */
  get began (): number {
    return Math.min(...this.#known(({ began }) => began))
  }

  /** End of the last batch, commit and views included. */
  get ended (): number {
    return Math.max(...this.#known(({ ended }) => ended))
  }

  /** Orders booked in each whole second; the first and the last are left out. */
  get perSecond (): number[] {
    const seconds = new Map<number, number>()
    for (const { booked } of this.#workers) {
      for (const [second, orders] of booked.bySecond) seconds.set(second, (seconds.get(second) ?? 0) + orders)
    }
    const [first, last] = [Math.min(...seconds.keys()), Math.max(...seconds.keys())]
    return Array.from({ length: Math.max(0, last - first - 1) }, (_, index) => seconds.get(first + 1 + index) ?? 0)
  }

  /** The largest of them so far, MiB. */
  get mib (): number | null {
    const sizes = this.pids.map(peakMemory).filter((size) => size !== null)
    return sizes.length === 0 ? null : Math.max(...sizes)
  }

  /** Processor time of all, microseconds, their own start included. */
  get cpu (): number | null {
    const times = this.pids.map(cpuTime)
    return times.includes(null) ? null : times.reduce<number>((sum, time) => sum + time!, 0)
  }

  read (): void {
    for (const { own, booked } of this.#workers) {
      booked.read()
      if (own.gone) throw own.failure(`ended by itself after ${booked.applied} orders`)
    }
  }

  /** Resolves when so many orders are booked. @throws Error after a minute without a new one */
  async booked (orders: number): Promise<void> {
    for (let still = 0, before = -1; this.applied < orders; before = this.applied) {
      await wait(POLL_MS)
      this.read()
      still = this.applied === before ? still + 1 : 0
      if (still > STANDSTILL_POLLS) throw new Error(`${this.applied} orders are booked of ${orders}, and no more come`)
    }
  }

  /** Resolves when at least so many orders are booked and no more come. @throws Error as `booked` */
  async settle (least: number): Promise<void> {
    await this.booked(least)
    for (let still = 0; still < SETTLED_POLLS;) {
      const before = this.applied
      await wait(POLL_MS)
      this.read()
      still = this.applied === before ? still + 1 : 0
    }
  }

  async stop (): Promise<void> {
    await Promise.all(this.#workers.map(async ({ own, booked }) => {
      await own.stop()
      booked.close()
    }))
  }

  #sum (read: (booked: BookedBatches) => number): number {
    return this.#workers.reduce((sum, { booked }) => sum + read(booked), 0)
  }

  /** One of several may have had nothing to do. */
  #known (read: (booked: BookedBatches) => number): number[] {
    return this.#workers.map(({ booked }) => read(booked)).filter((value) => !Number.isNaN(value))
  }
}
