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
