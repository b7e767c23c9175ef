import { readdirSync, readFileSync } from 'node:fs'
import { cpuTime } from './proc.js'

/** Servers by the names of their processes, wherever they were started from. */
const SERVERS: Record<string, string> = { postgres: 'Postgres', 'redis-server': 'Redis', 'beam.smp': 'RabbitMQ' }

/** Processor time so far, microseconds, of each process that has a part in it. */
interface Taken { part: string, us: number }

/**
 * What something cost all who have a part in it: the given processes, and every Postgres, Redis and RabbitMQ of this machine. Whatever
 * idles counts too, and a process that ends meanwhile is missed: nothing of ours does.
 */
export class WholeCost {
  readonly #parts: ReadonlyMap<number, string>
  readonly #before: ReadonlyMap<number, Taken>

  /** @param parts process ids by the part they have, as `api` */
  static begin (parts: Record<string, readonly number[]>): WholeCost {
    return new WholeCost(new Map(Object.entries(parts).flatMap(([part, pids]) => pids.map((pid) => [pid, part] as const))))
  }

  constructor (parts: ReadonlyMap<number, string>) {
    this.#parts = parts
    this.#before = this.#look()
  }

  /** Microseconds for each of so many, by part and of all together; null where there is no /proc. */
  each (orders: number): { all: number, parts: Record<string, number> } | null {
    const now = this.#look()
    if (now.size === 0) return null
    const parts: Record<string, number> = {}
    for (const [pid, { part, us }] of now) parts[part] = (parts[part] ?? 0) + (us - (this.#before.get(pid)?.us ?? 0)) / orders
    return { all: Object.values(parts).reduce((sum, cost) => sum + cost, 0), parts }
  }

  #look (): Map<number, Taken> {
    const found = new Map<number, Taken>()
    for (const pid of processes()) {
      const part = this.#parts.get(pid) ?? SERVERS[nameOf(pid)]
      const us = part === undefined ? null : cpuTime(pid)
      if (us !== null) found.set(pid, { part: part!, us })
    }
    return found
  }
}

function processes (): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** '' of one that has ended. */
function nameOf (pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim()
  } catch {
    return ''
  }
}
