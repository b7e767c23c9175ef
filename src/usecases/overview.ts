import { OperationError } from '../jobs/errors.js'
import type { Caller } from '../users/roles.js'

/** What is wrong now, and what to do. */
export interface OverviewFinding {
  mark: 'warn' | 'wrong'
  subject: string
  check: string
  found: string
  advice: string | null
}

/** The numbers that an operator asks for first; null: it cannot be told now. */
export interface OverviewNumbers {
  /** Order events that all apis took, since it is counted; two looks give a rate. */
  accepted: number | null
  /** Settled order events: the highest position of the feed. */
  booked: number | null
  /** From acceptance to booking, of what was booked in the last ten seconds; `p50`, `p99` in seconds. */
  delay: { p50: number, p99: number } | null
  queue: { messages: number, workers: number } | null
  /** Order events that wait in Postgres, counted to 100,000, and for how long the oldest has. */
  fallback: { events: number, oldest_seconds: number | null } | null
  parked: { open: number, latest: string | null } | null
  /** What the relay has not told yet, by cursor. */
  told: Array<{ name: string, lag: number, lag_seconds: number | null, holder: string | null }> | null
  webhooks: { enabled: number, failing: number, disabled: number, due: number, oldest_seconds: number | null } | null
  services: Record<string, { state: string, since: string }>
  findings: OverviewFinding[]
}

export interface Overview extends OverviewNumbers {
  /** ISO 8601, this api's clock */
  at: string
}

/** A look serves all who ask within this time. Milliseconds. */
const FRESH_MS = 500

/** How the service fares, as all its processes together see it. */
export class OverviewReader {
  readonly #look: () => Promise<OverviewNumbers>
  #last: { at: number, look: Promise<Overview> } | null = null

  /** @param look never throws: what cannot be asked is null and a finding */
  constructor (look: () => Promise<OverviewNumbers>) {
    this.#look = look
  }

  /** @throws OperationError `forbidden` */
  async read ({ role }: Caller): Promise<Overview> {
    if (role !== 'operator') throw new OperationError('forbidden')
    const now = Date.now()
    if (!this.#last || now - this.#last.at > FRESH_MS) this.#last = { at: now, look: this.#look().then((numbers) => ({ at: new Date().toISOString(), ...numbers })) }
    return await this.#last.look
  }
}
