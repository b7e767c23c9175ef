import type { Random } from '../testkit/random.js'

/** What each hour of a shop's day has, beside the others: quiet at night, a bump at noon, the most in the evening. */
const DAY = [35, 22, 15, 12, 13, 20, 40, 70, 100, 120, 130, 140, 150, 135, 125, 120, 125, 135, 150, 180, 200, 190, 140, 73]
const DAY_MEAN = DAY.reduce((sum, hour) => sum + hour, 0) / DAY.length

export const CURVES = ['day', 'flat'] as const
export type Curve = typeof CURVES[number]

export interface ArrivalPlan {
  seed: Random
  seconds: number
  /** Arrivals a second, on average over the whole. */
  rate: number
  curve: Curve
}

/** The rate at this share of the run, over its average: a whole day, between the middles of its hours in straight lines. */
export function shareOfRate (curve: Curve, at: number): number {
  if (curve === 'flat') return 1
  const hour = at * DAY.length - 0.5
  const [before, into] = [Math.floor(hour), hour - Math.floor(hour)]
  const of = (index: number) => DAY[(index + DAY.length) % DAY.length]!
  return (of(before) * (1 - into) + of(before + 1) * into) / DAY_MEAN
}

/**
 * The moments, milliseconds from the start, of a Poisson process whose rate follows the curve: drawn at the highest rate and
 * thinned (Lewis and Shedler, 1979). They are known before anything is asked, so that a slow answer delays no arrival.
 */
export function * arrivalsOf ({ seed, seconds, rate, curve }: ArrivalPlan): Generator<number> {
  const highest = curve === 'flat' ? 1 : Math.max(...DAY) / DAY_MEAN
  const length = seconds * 1000
  for (let at = 0; ;) {
    at -= Math.log(1 - seed.next()) / (rate * highest) * 1000
    if (at >= length) return
    if (seed.next() * highest < shareOfRate(curve, at / length)) yield at
  }
}
