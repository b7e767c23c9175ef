import type { Notes } from './finding.js'

/** This machine's clock, in milliseconds since 1970. */
export type Clock = () => number

/** Views that were accepted and not persisted are trusted for 2 s, by the clock of the process that reads (docs/delivery.md). */
const MOST_MS = 1000

/**
 * Compares the service's clock with this machine's.
 * @param read the service's clock, in milliseconds since 1970. Half of the time it took cannot be told from a difference
 */
export async function noteClock (notes: Notes, now: Clock, read: () => Promise<number>): Promise<void> {
  const asked = now()
  const theirs = await read()
  const answered = now()
  const ahead = theirs - (asked + answered) / 2
  const unsure = (answered - asked) / 2
  const found = `${(Math.abs(ahead) / 1000).toFixed(3)} s ${ahead < 0 ? 'behind' : 'ahead of'} this machine`
  if (Math.abs(ahead) - unsure <= MOST_MS) notes.ok('clock', found)
  else notes.warn('clock', found, 'set both clocks by NTP: what is fresh, due or expired is told by them')
}
