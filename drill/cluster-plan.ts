import { Random } from '../testkit/random.js'
import { CLUSTER_KINDS, type Fault, type Service } from './faults.js'

const FIRST_S = 5
/** No fault begins in what is left after this share of the time. */
const QUIET_FROM = 0.85

/** Each fault that a cluster is there to survive, once, in an order of the seed; the same seed always plans the same. */
export function planClusterFaults ({ seed, seconds }: { seed: number, seconds: number }): Fault[] {
  const random = new Random(seed)
  const kinds = Object.entries(CLUSTER_KINDS).flatMap(([target, kinds]) => Object.entries(kinds).map(([kind, bounds]) => ({ target: target as Service, kind, ...bounds })))
  const apart = (seconds * QUIET_FROM - FIRST_S) / kinds.length
  return random.shuffled(kinds).map(({ target, kind, subjects, seconds }, index) => ({
    at: tenths(FIRST_S + index * apart), target, subject: random.pick(subjects), kind, duration: tenths(random.between(...seconds))
  }))
}

const tenths = (seconds: number): number => Math.round(seconds * 10) / 10
