import { setMaxListeners } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Environment } from './environment.js'
import { describeFault, type Fault, type Heal, serviceOf, type Stage } from './faults.js'
import { now } from './history.js'
import { inject } from './injections.js'

/** A fault as it really was. Moments are milliseconds since 1970. */
export interface Applied extends Fault {
  began: number
  /** When its heal began; the same as `began` for what is over as soon as it is done. */
  healing: number
  /** When what it took away answered again. */
  healed: number
  /** '' when it was done and healed as planned */
  failure: string
}

/** Another service still on its way back is waited for so long, then the fault is left out; a cluster takes its time. */
const TURN_LIMITS_MS: Record<Stage, number> = { single: 30_000, cluster: 180_000 }
const HEAL_TRIES = 3

/** Carries out a plan. Two services are never away at once, and none is harmed on its way back, even where one comes back late; unless the plan was given by hand. */
export class NemesisRun {
  readonly #environment: Environment
  readonly #keepApart: boolean
  readonly #turnLimitMs: number
  readonly applied: Applied[] = []
  readonly leftOut: Fault[] = []
  readonly #stopping = new AbortController()
  readonly #away = new Map<Fault, string>()
  #running: Promise<unknown> = Promise.resolve()

  constructor (environment: Environment, { keepApart, stage }: { keepApart: boolean, stage: Stage }) {
    this.#environment = environment
    this.#keepApart = keepApart
    this.#turnLimitMs = TURN_LIMITS_MS[stage]
    setMaxListeners(0, this.#stopping.signal) // each fault of the plan waits on it
  }

  /** @param started when the load began, by `performance.now` */
  start (faults: readonly Fault[], started: number): void {
    this.#running = Promise.all(faults.map(async (fault) => await this.#carryOut(fault, started)))
  }

  /** Resolves when every fault is healed. */
  async done (): Promise<void> {
    await this.#running
  }

  /** Begins no more, and heals at once what is on. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #carryOut (fault: Fault, started: number): Promise<void> {
    const { signal } = this.#stopping
    await this.#pause(fault.at * 1000 - (performance.now() - started))
    if (signal.aborted || !await this.#turn(fault)) {
      this.leftOut.push(fault)
      return
    }
    const service = serviceOf(fault)
    if (service !== null) this.#away.set(fault, service)
    const began = now()
    console.log(describeFault({ ...fault, at: (performance.now() - started) / 1000 }))
    const applied: Applied = { ...fault, began, healing: began, healed: began, failure: '' }
    this.applied.push(applied)
    try {
      const heal = await inject(fault, this.#environment)
      if (heal !== null) {
        await this.#pause(fault.duration * 1000 - (now() - began))
        applied.healing = now()
        await tryHeal(heal)
      }
    } catch (error) {
      applied.failure = (error as Error).message
      console.log(`        ${fault.subject} ${fault.kind}: ${applied.failure}`)
    }
    applied.healed = now()
    this.#away.delete(fault)
  }

  /** @returns false when it never came */
  async #turn (fault: Fault): Promise<boolean> {
    const service = serviceOf(fault)
    if (!this.#keepApart || service === null) return true
    const othersAway = () => [...this.#away].some(([other, itsService]) => itsService !== service || other.target === fault.target)
    const deadline = Date.now() + this.#turnLimitMs
    while (othersAway()) {
      if (this.#stopping.signal.aborted || Date.now() > deadline) return false
      await this.#pause(50)
    }
    return true
  }

  async #pause (ms: number): Promise<void> {
    if (ms > 0) await wait(ms, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }
}

/** A server that was killed may not come back at the first try. */
async function tryHeal (heal: Heal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await heal()
    } catch (error) {
      if (tries === HEAL_TRIES) throw error
    }
  }
}
