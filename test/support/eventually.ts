import { setTimeout as pause } from 'node:timers/promises'
import { limitOf } from './limits.js'

type NotYet = false | 0 | null | undefined

/** Asks again and again until the answer is there (true, more than none); fails after the limit. For states that announce themselves by no event. */
export async function eventually<T> (what: string, ask: () => Promise<T | NotYet> | T | NotYet, limitMs = 20_000): Promise<T> {
  const deadline = Date.now() + limitOf(limitMs)
  while (Date.now() < deadline) {
    const answer = await ask()
    if (answer) return answer
    await pause(10)
  }
  throw new Error(`not within ${limitOf(limitMs)} ms: ${what}`)
}
