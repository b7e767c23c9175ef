import { setTimeout as wait } from 'node:timers/promises'
import type { OrderInput } from '../src/orders/order.js'
import { outcomeOf, problemIn, type Seen, seenIn } from '../testkit/clients/answers.js'
import type { Answered, Asked, Asking } from '../testkit/clients/asking.js'
import * as requests from '../testkit/clients/requests.js'
import type { Random } from '../testkit/random.js'
import type { Ending, History, Invocation, Op } from './history.js'
import type { Person } from './people.js'

/** A request whose outcome is not known is repeated under its key after these pauses, milliseconds. */
const RETRIES_MS = [400, 1000, 2000, 3000, 3000]
const KEYED = 0.5
const BATCHES = 0.05
const LARGEST_BATCH = 8
/** Connections are given up now and then, so that a restarted api gets its share again. */
const LAST_OF_CONNECTION = 0.02

interface Placement { token: string, line: OrderInput, key: string | undefined }

/** What a client asks for, how the answers are read, and what is repeated. Each of them ends by itself. */
export class Client {
  readonly person: Person
  readonly #asking: Asking
  readonly #history: History
  readonly #random: Random
  #placed = 0

  constructor (person: Person, asking: Asking, history: History, random: Random) {
    this.person = person
    this.#asking = asking
    this.#history = history
    this.#random = random
  }

  /** @returns the orders that were accepted */
  async place (): Promise<Seen[]> {
    const { token, line, key } = this.#placement()
    for (let attempt = 0; ; attempt++) {
      const op = await this.#send(requests.place(line, key), { kind: 'place', token, line, ...(key === undefined ? {} : { key }) })
      const pause = RETRIES_MS[attempt]
      if (op.outcome !== 'info' || key === undefined || pause === undefined) return op.seen
      await wait(pause * this.#random.between(0.5, 1))
    }
  }

  /** Several in one request; each is an op of its own. */
  async placeBatch (): Promise<Seen[]> {
    const placements = Array.from({ length: this.#random.whole(2, LARGEST_BATCH) }, () => this.#placement())
    const request_id = this.person.nextRequestId()
    const ends = placements.map(({ token, line, key }) => this.#history.invoke({ ...this.#who(request_id), kind: 'place', token, line, ...(key === undefined ? {} : { key }) }))
    const answer = await this.#asking.ask(requests.withHeaders(requests.placeBatch(placements), this.#headers(request_id)))
    const { items } = (answer.body ?? {}) as { items?: Array<{ status: number, order?: unknown, problem?: unknown, replayed?: boolean }> }
    return ends.flatMap((end, index) => {
      const item = answer.status === 207 ? items?.[index] : undefined
      if (item === undefined) return end(endingOf(answer)).seen
      return end(endingOf({ ...answer, status: item.status, body: item.order ?? item.problem }, item.replayed)).seen
    })
  }

  async placeSome (): Promise<Seen[]> {
    return await (this.#random.chance(BATCHES) ? this.placeBatch() : this.place())
  }

  async amend (order: Seen): Promise<Op> {
    const { item_description, item_quantity } = order
    const word = item_description.split(' ').slice(0, 2).join(' ')
    const change = this.#random.chance(0.5)
      ? { item_quantity: item_quantity % 1000 + this.#random.whole(1, 20) }
      : { item_description: `${word} amended ${this.#placed}.${this.#random.whole(1, 1e6)}` }
    return await this.repeat(order, change)
  }

  /** The same amendment again, as a client that lost the answer would. */
  async repeat (order: Seen, change: Partial<OrderInput>): Promise<Op> {
    return await this.#change(order, { kind: 'amend', change }, (version) => requests.amend(order.order_id, change, version))
  }

  async cancel (order: Seen): Promise<Op> {
    return await this.#change(order, { kind: 'cancel', to: 'cancelled' }, (version) => requests.cancel(order.order_id, version))
  }

  async move (order: Seen, to: string): Promise<Op> {
    return await this.#change(order, { kind: 'move', to }, (version) => requests.move(order.order_id, to, version))
  }

  async read (orderId: string): Promise<Op> {
    return await this.#send(requests.read(orderId), { kind: 'read', order_id: orderId })
  }

  async list (): Promise<Op> {
    return await this.#send(requests.list(20), { kind: 'list' })
  }

  async #change (order: Seen, what: Pick<Invocation, 'kind' | 'change' | 'to'>, asked: (version?: number) => Asked): Promise<Op> {
    const version = this.#random.chance(0.4) ? order.version : undefined
    const if_match = version === undefined ? {} : { if_match: `"${version}"` }
    return await this.#send(asked(version), { ...what, order_id: order.order_id, ...if_match })
  }

  async #send (asked: Asked, what: Omit<Invocation, 'client' | 'user_id' | 'request_id'>): Promise<Op> {
    const request_id = this.person.nextRequestId()
    const end = this.#history.invoke({ ...this.#who(request_id), ...what })
    const answer = await this.#asking.ask(requests.withHeaders(asked, this.#headers(request_id)))
    return end(endingOf(answer, answer.headers['idempotency-replayed'] === 'true'))
  }

  #who (request_id: string): Pick<Invocation, 'client' | 'user_id' | 'request_id'> {
    return { client: this.person.name, user_id: this.person.user_id, request_id }
  }

  #headers (request_id: string): Record<string, string> {
    const last = this.#random.chance(LAST_OF_CONNECTION)
    return { authorization: this.person.authorization, 'x-request-id': request_id, ...(last ? { connection: 'close' } : {}) }
  }

  #placement (): Placement {
    const token = `${this.person.name}-${++this.#placed}`
    const line = { item_description: `drill ${token}`, item_quantity: this.#random.whole(1, 99), item_price: this.#random.whole(0, 100_000) }
    return { token, line, key: this.#random.chance(KEYED) ? `key-${token}` : undefined }
  }
}

function endingOf (answer: Answered, replayed = false): Ending {
  const problem = answer.fault || problemIn(answer.body)
  const outcome = outcomeOf(answer.status, problem)
  const { items } = (answer.body ?? {}) as { items?: unknown[] }
  const seen = outcome === 'ok' ? (items ?? [answer.body]).map(seenIn).filter((order) => order !== null) : []
  return { outcome, status: answer.status, problem, seen, ...(replayed ? { replayed } : {}) }
}
