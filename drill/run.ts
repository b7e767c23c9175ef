import type { Span } from './availability.js'
import type { Verdicts } from './checker.js'
import type { Drained, Sample } from './drain.js'
import type { Fault } from './faults.js'
import type { Op } from './history.js'
import type { Applied } from './nemesis-run.js'
import type { Options } from './options.js'
import type { Tables } from './tables.js'
import type { Telling } from './telling.js'

/** Everything a run came to. */
export interface Run {
  options: Options
  load: Span
  ops: readonly Op[]
  applied: readonly Applied[]
  leftOut: readonly Fault[]
  samples: readonly Sample[]
  drained: Drained
  tables: Tables
  telling: Telling
  verdicts: Verdicts
  /** Ends of processes that no fault asked for. */
  crashes: readonly string[]
  /** Requests that the bound on what is under way kept from being sent. */
  heldBack: number
}

export interface Conclusion {
  /** `unknown`: the run proves nothing, which is no success */
  verdict: 'held' | 'violated' | 'unknown'
  reasons: string[]
}
