import type { Session } from '../users/session.js'
import { ProblemError } from './problems.js'

/** How many may listen to one api, and of one user. */
export const MOST_LISTENERS = 2000
export const MOST_OF_USER = 20
/** A session that was ended is noticed this soon. */
const CHECK_MS = 500

export type Ended = 'time_over' | 'session_ended' | 'closing' | 'client_left'

export interface ListenersOptions {
  /** Whether a session was ended before its time. */
  isOver (session: Session): boolean | Promise<boolean>
  most?: number
  mostOfUser?: number
}

/** A place among those who listen. */
export interface Listener {
  readonly signal: AbortSignal
  /** Why it ended; null while it listens. */
  readonly ended: Ended | null
  leave (): void
}

/** Who listens now: by streams, and by requests that wait. Each listens no longer than its token and its session last. */
export class Listeners {
  readonly #options: Required<ListenersOptions>
  readonly #all = new Set<Place>()
  readonly #ofUsers = new Map<number, number>()
  readonly #checks: NodeJS.Timeout
  #closing = false

  constructor ({ isOver, most = MOST_LISTENERS, mostOfUser = MOST_OF_USER }: ListenersOptions) {
    this.#options = { isOver, most, mostOfUser }
    this.#checks = setInterval(() => { void this.#endSessions() }, CHECK_MS).unref()
  }

  get size (): number {
    return this.#all.size
  }

  /** @param ms for how long at most @throws ProblemError `busy`, `too_many_streams` */
  enter (session: Session, ms: number): Listener {
    const ofUser = this.#ofUsers.get(session.user_id) ?? 0
    if (ofUser >= this.#options.mostOfUser) throw new ProblemError('too_many_streams')
    if (this.#all.size >= this.#options.most) throw new ProblemError('busy')
    const place = new Place(session, ms, () => this.#leave(place))
    this.#all.add(place)
    this.#ofUsers.set(session.user_id, ofUser + 1)
    if (this.#closing) place.end('closing')
    return place
  }

  /** Ends all, and each that comes later. */
  close (): void {
    this.#closing = true
    clearInterval(this.#checks)
    for (const place of this.#all) place.end('closing')
  }

  async #endSessions (): Promise<void> {
    for (const place of this.#all) if (await this.#options.isOver(place.session)) place.end('session_ended')
  }

  #leave (place: Place): void {
    this.#all.delete(place)
    const { user_id } = place.session
    const left = this.#ofUsers.get(user_id)! - 1
    if (left > 0) this.#ofUsers.set(user_id, left)
    else this.#ofUsers.delete(user_id)
  }
}

class Place implements Listener {
  ended: Ended | null = null
  readonly session: Session
  readonly #over = new AbortController()
  readonly #time: NodeJS.Timeout
  readonly #onEnd: () => void

  constructor (session: Session, ms: number, onEnd: () => void) {
    this.session = session
    this.#onEnd = onEnd
    this.#time = setTimeout(() => this.end('time_over'), ms)
  }

  get signal (): AbortSignal {
    return this.#over.signal
  }

  leave (): void {
    this.end('client_left')
  }

  end (why: Ended): void {
    if (this.ended !== null) return
    this.ended = why
    clearTimeout(this.#time)
    this.#onEnd()
    this.#over.abort()
  }
}
