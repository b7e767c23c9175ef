import { until } from '../../local/processes.js'
import { limitOf } from './limits.js'

type NotYet = false | 0 | null | undefined

/** Asks again and again until the answer is there (true, more than none); fails after the limit. For states that announce themselves by no event. */
export async function eventually<T> (what: string, ask: () => Promise<T | NotYet> | T | NotYet, limitMs = 20_000): Promise<T> {
  return await until(`it never came that ${what}`, limitOf(limitMs), async () => await ask() || null)
}

/** Resolves when it is a millisecond later: what happens now is told from what happened before. */
export async function clockMoved (): Promise<void> {
  const before = Date.now()
  await eventually('the clock moved', () => Date.now() > before)
}
