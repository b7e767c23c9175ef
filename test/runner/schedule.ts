import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Random } from '../../testkit/random.js'
import type { Options } from './options.js'

/** How long each file took when it was last run: a hint for the order and no more. */
const TIMES = '.local/test-times.json'

/** Those that load the machine by design (processes of their own, killed and flooded), or say how soon something comes. Nothing runs beside them. */
const ALONE = ['test/drill/drill.test.ts', 'test/faults/stale-orders.test.ts', 'test/faults/webhooks.test.ts']
/** Where nothing is known yet, these folders are likely to hold the slowest. */
const SLOW_FOLDERS = ['test/faults/', 'test/e2e/', 'test/worker/', 'test/local/', 'test/doctor/']

export interface Schedule {
  /** In this order, several at a time. */
  together: string[]
  /** One after another, when those are through. */
  alone: string[]
}

export function schedule (files: readonly string[], { order, seed }: Pick<Options, 'order' | 'seed'>): Schedule {
  const times = readTimes()
  const random = new Random(seed)
  const weight = new Map(files.map((file) => [file, order === 'random' ? random.next() : times[file] ?? (SLOW_FOLDERS.some((folder) => file.startsWith(folder)) ? 60_000 : 30_000)]))
  const sorted = [...files].sort((a, b) => weight.get(b)! - weight.get(a)!)
  return { together: sorted.filter((file) => !ALONE.includes(file)), alone: sorted.filter((file) => ALONE.includes(file)) }
}

export function keepTimes (runs: ReadonlyArray<{ file: string, ms: number }>): void {
  mkdirSync('.local', { recursive: true })
  writeFileSync(TIMES, JSON.stringify({ ...readTimes(), ...Object.fromEntries(runs.map(({ file, ms }) => [file, Math.round(ms)])) }, null, 1))
}

function readTimes (): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, 'utf8')) as Record<string, number>
  } catch {
    return {}
  }
}
