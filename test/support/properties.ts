import fc from 'fast-check'
import type { Test } from 'tap'
import { limitOf } from './limits.js'

const { TEST_SEED, PROPERTY_PATH, PROPERTY_RUNS } = process.env

/**
 * Checks a property on this many cases. A failure prints its path and the smallest case that still fails: `--seed` of
 * the run and PROPERTY_PATH repeat it, PROPERTY_RUNS looks further.
 */
export async function holds<T> (t: Test, runs: number, cases: fc.Arbitrary<T>, check: (given: T) => Promise<void> | void): Promise<void> {
  await fc.assert(fc.asyncProperty(cases, async (given) => await check(given)), {
    // Before tap cuts the file off, and its report with it; what did not get through all its cases has not held.
    ...(PROPERTY_RUNS === undefined ? { numRuns: runs, interruptAfterTimeLimit: limitOf(50_000), markInterruptAsFailure: true } : { numRuns: Number(PROPERTY_RUNS) }),
    ...(TEST_SEED === undefined ? {} : { seed: Number(TEST_SEED) }),
    ...(PROPERTY_PATH === undefined ? {} : { path: PROPERTY_PATH })
  })
  t.pass('it holds')
}
