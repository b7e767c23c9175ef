import { build, type Histogram } from 'hdr-histogram-js'
import { type Judged, type Outcome, OUTCOMES } from './outcome.js'
import type { Action } from './shop.js'

/** Microseconds; an answer is not waited for longer than that from the moment that its visit was meant for. */
const HIGHEST_US = 3_600_000_000
const MOST_REASONS = 20

export type Outcomes = Record<Outcome, number>

/** What one second saw: arrivals by the moment they were meant for, ends by the moment they came. */
export interface Second {
  due: number
  dropped: number
  ended: number
  failed: number
  under_way: number
  p50_ms: number
  p99_ms: number
  max_ms: number
}

interface OfAction { outcomes: Outcomes, latency: Histogram }

/** Counts what came and what became of it. Every latency is taken from the moment that its visit was meant for. */
export class Tally {
  readonly latency = histogram()
  /** How far behind its moment each visit was begun: this program's own part of a latency. */
  readonly late = histogram()
  readonly actions = new Map<Action, OfAction>()
  readonly reasons = new Map<string, number>()
  readonly seconds: Second[] = []
  dropped = 0
  #begun = 0
  #now = newSecond()
  #latencyNow = histogram()

  get begun (): number {
    return this.#begun
  }

  get outcomes (): Outcomes {
    const all = newOutcomes()
    for (const { outcomes } of this.actions.values()) for (const name of Object.keys(all) as Outcome[]) all[name] += outcomes[name]
    return all
  }

  drop (): void {
    this.dropped++
    this.#now.due++
    this.#now.dropped++
  }

  /** @param ms behind its moment */
  begin (ms: number): void {
    this.#begun++
    this.#now.due++
    record(this.late, ms)
  }

  /** @param ms from the moment that it was meant for to its end */
  end (action: Action, { outcome, why }: Judged, ms: number): void {
    const { outcomes, latency } = this.#of(action)
    outcomes[outcome]++
    for (const each of [latency, this.latency, this.#latencyNow]) record(each, ms)
    this.#now.ended++
    if (outcome === 'failed' || outcome === 'wrong') this.#now.failed++
    if (outcome !== 'ok') this.#explain(`${action}: ${outcome}, ${why}`)
  }

  /** Ends a second. @param underWay visits @returns what it saw */
  tick (underWay: number): Second {
    const latency = this.#latencyNow
    const second = { ...this.#now, under_way: underWay, p50_ms: msAt(latency, 50), p99_ms: msAt(latency, 99), max_ms: msAt(latency, 100) }
    this.seconds.push(second)
    this.#now = newSecond()
    latency.reset()
    return second
  }

  #of (action: Action): OfAction {
    const known = this.actions.get(action) ?? { outcomes: newOutcomes(), latency: histogram() }
    this.actions.set(action, known)
    return known
  }

  #explain (reason: string): void {
    const kept = this.reasons.has(reason) || this.reasons.size < MOST_REASONS ? reason : 'others'
    this.reasons.set(kept, (this.reasons.get(kept) ?? 0) + 1)
  }
}

/** Milliseconds that this share of all did not exceed, in hundredths; 0 where there is none. */
export function msAt (latency: Histogram, percentile: number): number {
  return latency.getValueAtPercentile(percentile) / 1000
}

/** Three significant digits. */
function histogram (): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: HIGHEST_US, numberOfSignificantValueDigits: 3 })
}

function record (latency: Histogram, ms: number): void {
  latency.recordValue(Math.min(Math.max(0, Math.round(ms * 1000)), HIGHEST_US))
}

function newOutcomes (): Outcomes {
  return Object.fromEntries(Object.keys(OUTCOMES).map((name) => [name, 0])) as Outcomes
}

function newSecond (): Second {
  return { due: 0, dropped: 0, ended: 0, failed: 0, under_way: 0, p50_ms: 0, p99_ms: 0, max_ms: 0 }
}
