import type { Options } from './options.js'
import type { Players } from './players.js'

/** What one round of a road came to. */
export interface Played {
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

/** One way through the service, measured beside its yardstick in the same minute. A new one is a file and a line in roads.ts. */
export interface Road {
  /** As --only takes it. */
  name: string
  title (options: Options): string
  /** How it is measured and what stands against it. */
  how: string
  /** Every figure with its unit, in the order in which they are shown. */
  units: Record<string, string>
  /** Figures: ours over the yardstick's. */
  ratio?: readonly [ours: string, yardstick: string]
  /** None where the options ask for something else than the target is about. */
  targets (options: Options): Target[]
  /** Once, before its rounds. */
  prepare? (players: Players): Promise<void>
  play (players: Players): Promise<Played>
  /** Rounds, whatever the options say. */
  rounds?: number
}

/** What a process of ours may grow to. */
export const LARGEST_MIB = 150

/** @param byOutbox orders that came by the outbox while the broker was up */
export function outboxNote (byOutbox: number): Pick<Played, 'attention'> {
  return byOutbox === 0 ? {} : { attention: `${byOutbox} orders went by the outbox: the broker did not confirm in time` }
}
