import type { Rig } from '../placing/rig.js'
import type { Settings } from '../settings.js'

/** What one round of a path came to. */
export interface RoundResult {
  /** By the names in `units`; null: this machine cannot tell. */
  figures: Record<string, number | null>
  /** Milliseconds at percentiles, for the report. */
  latencies?: Record<string, ReadonlyArray<readonly [percentile: number, ms: number]>>
  /** Of each whole second, for the report. */
  over_time?: { unit: string, lines: Record<string, readonly number[]> }
  /** What makes these figures doubtful. */
  attention?: string
}

export interface Target {
  /** A name in `units`, or `ratio`. */
  figure: string
  bound: 'at least' | 'at most'
  limit: number
  /** Of all rounds; the median where this is missing. */
  of?: 'max'
}

/** One way through the service, measured beside its yardstick in the same minute. A new one is a file and a line in paths.ts. */
export interface Path {
  /** As --only takes it. */
  name: string
  title (settings: Settings): string
  /** How it is measured and what stands against it. */
  how: string
  /** Every figure with its unit, in the order in which they are shown. */
  units: Record<string, string>
  /** Figures: ours over the yardstick's. */
  ratio?: readonly [ours: string, yardstick: string]
  /** None where the settings ask for something else than the target is about. */
  targets (settings: Settings): Target[]
  /** Once, before its rounds. */
  prepare? (rig: Rig): Promise<void>
  measure (rig: Rig): Promise<RoundResult>
  /** Rounds, whatever the settings say. */
  rounds?: number
}

/** What a process of ours may grow to. */
export const LARGEST_MIB = 150

/** @param byFallback orders that came by the fallback queue while the broker was up */
export function fallbackNote (byFallback: number): Pick<RoundResult, 'attention'> {
  return byFallback === 0 ? {} : { attention: `${byFallback} orders went by the fallback queue: the broker did not confirm in time` }
}
