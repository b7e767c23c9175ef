export interface BackOff {
  /** Milliseconds before the first attempt. */
  first: number
  /** Milliseconds that no wait is longer than. */
  longest: number
}

/**
 * Milliseconds to wait before the next attempt: doubling from the first to the longest, the upper half of it by chance, so that
 * those who failed together do not come back together.
 * @param attempt 0 for the first
 */
export function backOff (attempt: number, { first, longest }: BackOff, chance: number = Math.random()): number {
  return Math.min(first * 2 ** attempt, longest) * (0.5 + chance / 2)
}
