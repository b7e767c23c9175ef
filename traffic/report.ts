import type { Histogram } from 'hdr-histogram-js'
import type { Bounds, Options } from './options.js'
import { msAt, type Outcomes, type Second, type Tally } from './tally.js'

interface Latency { p50_ms: number, p90_ms: number, p99_ms: number, p99_9_ms: number, max_ms: number }

export interface Report {
  to: string
  seed: number
  curve: string
  /** Arrivals a second: what was asked for on average, and what was begun in the time it took. */
  rate: { asked: number, begun: number }
  seconds: number
  arrivals: number
  begun: number
  dropped: number
  outcomes: Outcomes
  events_told: number
  latency: Latency
  /** This program's own: how late visits were begun, and how late its event loop was. */
  own: { begun_late: Latency, loop_delay_max_ms: number, loop_delay_p99_ms: number }
  actions: Record<string, Outcomes & Latency>
  reasons: Record<string, number>
  bounds: Bounds
  broken: string[]
  over_time: Second[]
}

export interface Ran {
  tally: Tally
  /** How long arrivals came, seconds. */
  seconds: number
  told: number
  loop: { max_ms: number, p99_ms: number }
}

export function reportOf ({ to, seed, curve, rate, bounds }: Options, { tally, seconds, told, loop }: Ran): Report {
  const { outcomes, begun, dropped } = tally
  const latency = latencyOf(tally.latency)
  const arrivals = begun + dropped
  return {
    to: to.origin + to.pathname,
    seed,
    curve,
    rate: { asked: rate, begun: rounded(begun / seconds) },
    seconds: rounded(seconds),
    arrivals,
    begun,
    dropped,
    outcomes,
    events_told: told,
    latency,
    own: { begun_late: latencyOf(tally.late), loop_delay_max_ms: rounded(loop.max_ms), loop_delay_p99_ms: rounded(loop.p99_ms) },
    actions: Object.fromEntries([...tally.actions].map(([action, { outcomes, latency }]) => [action, { ...outcomes, ...latencyOf(latency) }])),
    reasons: Object.fromEntries(tally.reasons),
    bounds,
    broken: brokenBounds(bounds, { latency, outcomes, arrivals, dropped }),
    over_time: tally.seconds
  }
}

/** Each that was not kept, in words. A wrong answer is never within bounds, and a run without arrivals proves nothing. */
function brokenBounds (bounds: Bounds, { latency, outcomes, arrivals, dropped }: Pick<Report, 'latency' | 'outcomes' | 'arrivals' | 'dropped'>): string[] {
  const share = (count: number) => arrivals === 0 ? 0 : count / arrivals * 100
  const broken = [
    arrivals === 0 && 'nothing arrived',
    outcomes.wrong > 0 && `${outcomes.wrong} answers were wrong`,
    share(outcomes.failed) > bounds.failed_percent && `${outcomes.failed} of ${arrivals} failed (${share(outcomes.failed).toFixed(2)} %, at most ${bounds.failed_percent} %)`,
    share(dropped) > bounds.dropped_percent && `${dropped} of ${arrivals} arrivals were dropped (${share(dropped).toFixed(2)} %, at most ${bounds.dropped_percent} %)`,
    bounds.p99_ms !== null && latency.p99_ms > bounds.p99_ms && `p99 is ${latency.p99_ms} ms (at most ${bounds.p99_ms} ms)`
  ]
  return broken.filter((one) => one !== false)
}

function latencyOf (histogram: Histogram): Latency {
  const at = (percentile: number) => rounded(msAt(histogram, percentile))
  return { p50_ms: at(50), p90_ms: at(90), p99_ms: at(99), p99_9_ms: at(99.9), max_ms: at(100) }
}

function rounded (value: number): number {
  return Math.round(value * 100) / 100
}
