import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { ProgressReport } from './health.js'

const LOOK_MS = 1000
/** With something to do and nothing done for so long the process is stuck, however alive it looks. */
export const STUCK_MS = 15_000
/** What waits for a newer worker is looked at by it within ten seconds: after so long there is none. */
export const DEFERRED_MS = 30_000

/** How much there is to do, and since when nothing was done. */
export interface Backlog {
  /** Messages that wait in the queue, events that are not told yet. */
  ready: number
  /** Messages taken from it and not settled. */
  unsettled: number
  /** Milliseconds since a message was last settled; since the start, before the first. */
  idleMs: number
  /** What waits for a newer worker, and for how long the oldest of it. */
  deferred?: { events: number, oldestMs: number }
}

export interface Source {
  /** null: it cannot be asked, which says nothing */
  backlog (): Promise<Backlog | null>
}

interface Look extends Backlog {
  /** When something to do was first seen that has been there ever since, by `performance.now`. */
  busySince: number | null
}

/**
 * Looks at what there is to do and whether it is done: a process that is alive but idle in front of a filling queue must not
 * look ready.
 */
export class Progress {
  readonly #sources: Record<string, Source>
  readonly #stopping = new AbortController()
  readonly #looks = new Map<string, Look>()
  #running: Promise<void> = Promise.resolve()

  constructor (sources: Record<string, Source>) {
    this.#sources = sources
  }

  start (): void {
    this.#running = this.#run()
  }

  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  report (now = performance.now()): ProgressReport {
    const sources = Object.fromEntries([...this.#looks].map(([name, look]) => [name, {
      ready: look.ready,
      unsettled: look.unsettled,
      idle_ms: Math.round(look.idleMs),
      ...(look.deferred === undefined ? {} : { deferred: look.deferred.events }),
      stuck: isStuck(look, now)
    }]))
    return { stuck: Object.values(sources).some(({ stuck }) => stuck), sources }
  }

  /** Asks every source once. */
  async look (): Promise<void> {
    for (const [name, source] of Object.entries(this.#sources)) {
      const backlog = await source.backlog().catch(() => null)
      if (!backlog) {
        this.#looks.delete(name)
        continue
      }
      const busy = backlog.ready + backlog.unsettled > 0
      this.#looks.set(name, { ...backlog, busySince: busy ? this.#looks.get(name)?.busySince ?? performance.now() : null })
    }
  }

  async #run (): Promise<void> {
    const { signal } = this.#stopping
    const stopped = once(signal, 'abort') // a source that is silent must not hold the stop up
    while (!signal.aborted) {
      await Promise.race([this.look(), stopped])
      await wait(LOOK_MS, undefined, { signal }).catch(() => {})
    }
  }
}

function isStuck ({ busySince, idleMs, deferred }: Look, now: number): boolean {
  if (deferred !== undefined && deferred.oldestMs > DEFERRED_MS) return true
  return busySince !== null && Math.min(now - busySince, idleMs) > STUCK_MS
}
