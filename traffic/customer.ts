import type { OrderInput } from '../src/orders/order.js'
import type { Seen } from '../testkit/clients/answers.js'
import type { Random } from '../testkit/random.js'

/** Of each, the newest orders and keyed placements that are gone on with. */
const REMEMBERED = 40

export interface KeyedPlacement { key: string, line: OrderInput, order_id: string }

/** One who was logged in, and what was shown to them. */
export class Customer {
  readonly nick_name: string
  readonly placements: KeyedPlacement[] = []
  #orders: Seen[] = []
  #session: { token: string, renewAt: number } | null = null

  constructor (nick_name: string) {
    this.nick_name = nick_name
  }

  /** Whether a token is needed, or a new one soon: half of its life is over. */
  get needsToken (): boolean {
    return this.#session === null || performance.now() > this.#session.renewAt
  }

  get authorization (): Record<string, string> {
    return this.#session === null ? {} : { authorization: `Bearer ${this.#session.token}` }
  }

  /** @param body of a login's answer */
  loggedIn (body: unknown): void {
    const { access_token, expires_in } = body as { access_token: string, expires_in: number }
    this.#session = { token: access_token, renewAt: performance.now() + expires_in * 500 }
  }

  loggedOut (): void {
    this.#session = null
  }

  /** Keeps what is newer than what is known. */
  learn (order: Seen): void {
    const known = this.#orders.findIndex(({ order_id }) => order_id === order.order_id)
    if (known === -1) this.#orders.push(order)
    else if (this.#orders[known]!.version <= order.version) this.#orders[known] = order
    this.#orders = this.#orders.slice(-REMEMBERED)
  }

  placed (placement: KeyedPlacement): void {
    this.placements.push(placement)
    this.placements.splice(0, this.placements.length - REMEMBERED)
  }

  /** One of those that this holds of; null when there is none. */
  anOrder (random: Random, holds: (order: Seen) => boolean = () => true): Seen | null {
    const fitting = this.#orders.filter(holds)
    return fitting.length === 0 ? null : random.pick(fitting)
  }
}
