export interface Spread { min: number, median: number, max: number }

export function spread (values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { min: sorted[0]!, median, max: sorted.at(-1)! }
}

/** Ours over the yardstick's: of the medians, and of each round's pair. */
export interface Ratio { median: number, rounds: number[] }

export function ratio (ours: readonly number[], yardstick: readonly number[]): Ratio {
  return {
    median: spread(ours).median / spread(yardstick).median,
    rounds: ours.map((value, round) => value / yardstick[round]!)
  }
}

/** The smallest value that this share of all does not exceed. */
export function quantile (values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]!
}

/** In hundredths; what a latency plot is drawn from. */
export const PERCENTILES = [10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99] as const

export interface Latency {
  /** Milliseconds. */
  p50: number
  p97_5: number
  p99: number
  max: number
  /** At each of PERCENTILES, as far as there are enough values to tell it from the largest. */
  percentiles: Array<[percentile: number, ms: number]>
}

/** @param values milliseconds, at least one; sorted in place */
export function latencyOf (values: Float64Array): Latency {
  values.sort()
  const at = (percentile: number) => values[Math.max(0, Math.ceil(values.length * percentile / 100) - 1)]!
  const known = PERCENTILES.filter((percentile) => values.length * (1 - percentile / 100) >= 1)
  return { p50: at(50), p97_5: at(97.5), p99: at(99), max: at(100), percentiles: known.map((percentile) => [percentile, at(percentile)]) }
}
