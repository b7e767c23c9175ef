import { setTimeout as wait } from 'node:timers/promises'
import type { Seen } from '../testkit/clients/answers.js'
import type { Random } from '../testkit/random.js'
import type { Client } from './clients.js'

export interface LoadOptions {
  /** Requests begun a second. */
  rate: number
  mix: 'all' | 'place'
  random: Random
}

type Action = 'place' | 'amend' | 'repeat' | 'cancel' | 'move' | 'read' | 'list'

/** In a hundred. */
const MIX: Record<Action, number> = { place: 52, amend: 12, repeat: 2, cancel: 4, move: 10, read: 17, list: 3 }
const TICK_MS = 10
/** Of each client, the newest orders that it goes on with. */
const REMEMBERED = 40
const NEXT_STATUS: Record<string, string> = { confirmed: 'paid', paid: 'shipped', shipped: 'delivered', accepted: 'paid' }

/**
 * Begins requests at a steady rate, whatever becomes of the earlier ones; what is under way at a time is bounded, and what the
 * bound held back is counted.
 */
export class Load {
  readonly #customers: readonly Client[]
  readonly #operator: Client
  readonly #options: LoadOptions
  readonly #known = new Map<Client, Seen[]>()
  readonly #underWay = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  heldBack = 0

  constructor (customers: readonly Client[], operator: Client, options: LoadOptions) {
    this.#customers = customers
    this.#operator = operator
    this.#options = options
    for (const client of customers) this.#known.set(client, [])
  }

  start (): void {
    this.#running = this.#run()
  }

  /** Begins no more; resolves when everything under way has ended, retries included. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await Promise.all(this.#underWay)
  }

  async #run (): Promise<void> {
    const { rate } = this.#options
    const most = Math.max(128, rate * 3)
    const started = performance.now()
    for (let begun = 0; !this.#stopping.signal.aborted; await wait(TICK_MS)) {
      const due = Math.floor((performance.now() - started) / 1000 * rate)
      for (; begun < due; begun++) {
        if (this.#underWay.size >= most) this.heldBack++
        else this.#begin()
      }
    }
  }

  #begin (): void {
    const doing: Promise<void> = this.#act().finally(() => this.#underWay.delete(doing))
    this.#underWay.add(doing)
  }

  async #act (): Promise<void> {
    const { random, mix } = this.#options
    const client = random.pick(this.#customers)
    if (mix === 'place') return this.#learn(client, await client.place())
    const known = this.#known.get(client)!
    const action = random.weighted(MIX)
    if (action === 'place' || known.length === 0) return this.#learn(client, await client.placeSome())
    if (action === 'list') return this.#learn(client, (await client.list()).seen)
    const order = random.pick(known)
    if (action === 'move') return await this.#move(client, order)
    if (action === 'read') return this.#learn(client, (await client.read(order.order_id)).seen)
    if (action === 'cancel') return this.#learn(client, (await client.cancel(order)).seen)
    const op = await client.amend(order)
    this.#learn(client, op.seen)
    if (action === 'repeat' && op.change) this.#learn(client, (await client.repeat(op.seen[0] ?? order, op.change)).seen)
  }

  /** The operator moves on what somebody placed, most often where it may go next. */
  async #move (client: Client, order: Seen): Promise<void> {
    const { random } = this.#options
    const to = random.chance(0.1) ? random.pick(['paid', 'shipped', 'delivered', 'cancelled']) : NEXT_STATUS[order.status] ?? 'paid'
    this.#learn(client, (await this.#operator.move(order, to)).seen)
    if (random.chance(0.2)) await this.#operator.read(order.order_id)
  }

  #learn (client: Client, seen: readonly Seen[]): void {
    const known = this.#known.get(client)!
    for (const order of seen) {
      const index = known.findIndex(({ order_id }) => order_id === order.order_id)
      if (index === -1) known.push(order)
      else if (known[index]!.version <= order.version) known[index] = order
    }
    known.splice(0, known.length - REMEMBERED)
  }
}
