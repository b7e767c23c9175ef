import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until the answer is there; fails after the limit. For states that announce themselves by no event. */
export async function eventually<T> (what: string, ask: () => Promise<T | false | null | undefined> | T | false | null | undefined, limitMs = 10_000): Promise<T> {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    const answer = await ask()
    if (answer !== false && answer !== null && answer !== undefined) return answer
    await pause(10)
  }
  throw new Error(`not within ${limitMs} ms: ${what}`)
}
