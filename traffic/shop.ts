import { randomInt } from 'node:crypto'
import { seenIn } from '../testkit/clients/answers.js'
import type { Answered, Asked, Asking } from '../testkit/clients/asking.js'
import * as requests from '../testkit/clients/requests.js'
import { cpfOf } from '../testkit/cpf.js'
import type { Random } from '../testkit/random.js'
import { Customer } from './customer.js'
import { follow } from './follow.js'
import { judge, judgeChange, type Judged, judgeRepeated, judgeStale } from './outcome.js'

export const ACTIONS = ['register', 'log in', 'place', 'repeat a key', 'amend', 'amend with a stale ETag', 'pay', 'ship', 'cancel', 'read', 'list', 'follow'] as const
export type Action = typeof ACTIONS[number]

/** In a hundred arrivals. What cannot be done, for want of an order, becomes a placement. */
const MIX: Record<Action, number> = {
  register: 2, 'log in': 2, place: 38, 'repeat a key': 2, amend: 8, 'amend with a stale ETag': 2, pay: 10, ship: 7, cancel: 3, read: 19, list: 5, follow: 2
}
/** Of the placements with a key some are asked a second time: `repeat a key` above is a tenth of them. */
const KEYED = 0.5
const MOST_CUSTOMERS = 500
const ITEMS = ['Café especial 250 g ☕', 'Chá mate', 'Pão de queijo', 'Bolo de fubá', 'Brigadeiro', 'Tapioca com coco']

export interface Visit {
  action: Action
  /** Resolves when it has ended, whatever came of it. */
  ended: Promise<Judged>
}

export interface ShopOptions {
  random: Random
  /** Who pays and ships; null: none does. */
  operator: { nick_name: string, password: string } | null
  /** Held open by those who follow, at most. */
  mostFollowers: number
  signal: AbortSignal
}

/** Who comes, and what they do next: it goes on from what they were shown before. Each visit is one request. */
export class Shop {
  readonly #asking: Asking
  readonly #options: ShopOptions
  readonly #customers: Customer[] = []
  readonly #operator: Customer | null
  /** Names and CPFs that no other run has. */
  readonly #run = randomInt(36 ** 5).toString(36)
  readonly #firstCpf = randomInt(900_000_000)
  #registered = 0
  #registerFrom = 0
  #placed = 0
  #followers = 0
  /** Events that followers were told. */
  told = 0

  constructor (asking: Asking, options: ShopOptions) {
    this.#asking = asking
    this.#options = options
    this.#operator = options.operator && new Customer(options.operator.nick_name)
  }

  /** A first customer, and the operator. @throws Error when one is turned away */
  async open (): Promise<void> {
    await done(await this.#register())
    await done(await this.#logIn(this.#customers[0]!))
    if (this.#operator) await done(await this.#logInOperator(this.#operator))
  }

  visit (): Visit {
    const { random } = this.#options
    if (this.#operator?.needsToken === true) return { action: 'log in', ended: this.#logInOperator(this.#operator) }
    const customer = random.pick(this.#customers)
    if (customer.needsToken) return { action: 'log in', ended: this.#logIn(customer) }
    const action = random.weighted(MIX)
    const ended = this.#begin(action, customer)
    return ended === null ? { action: 'place', ended: this.#place(customer) } : { action, ended }
  }

  /** @returns null where it cannot be done now */
  #begin (action: Action, customer: Customer): Promise<Judged> | null {
    switch (action) {
      case 'register': return this.#mayRegister() ? this.#register() : null
      case 'log in': return this.#logIn(customer)
      case 'place': return this.#place(customer)
      case 'repeat a key': return this.#repeat(customer)
      case 'amend': return this.#amend(customer)
      case 'amend with a stale ETag': return this.#amendStale(customer)
      case 'pay': return this.#move(customer, ['accepted', 'confirmed'], 'paid')
      case 'ship': return this.#move(customer, ['paid'], 'shipped')
      case 'cancel': return this.#cancel(customer)
      case 'read': return this.#read(customer)
      case 'list': return this.#list(customer)
      case 'follow': return this.#follow(customer)
    }
  }

  #mayRegister (): boolean {
    return this.#customers.length < MOST_CUSTOMERS && performance.now() >= this.#registerFrom
  }

  async #register (): Promise<Judged> {
    const number = ++this.#registered
    const nick_name = `t${this.#run}-${number}`
    const answer = await this.#asking.ask(requests.register({ nick_name, full_name: 'Traffic', cpf: cpfOf(this.#firstCpf + number) }))
    if (answer.status === 201) this.#customers.push(new Customer(nick_name))
    if (answer.status === 429) this.#registerFrom = performance.now() + Number(answer.headers['retry-after'] ?? 1) * 1000
    return judge(answer, 201)
  }

  async #logIn (customer: Customer, password?: string): Promise<Judged> {
    const answer = await this.#asking.ask(requests.logIn(customer.nick_name, password))
    if (answer.status === 200) customer.loggedIn(answer.body)
    return judge(answer, 200)
  }

  async #logInOperator (operator: Customer): Promise<Judged> {
    return await this.#logIn(operator, this.#options.operator!.password)
  }

  async #place (customer: Customer): Promise<Judged> {
    const { random } = this.#options
    const line = { item_description: random.pick(ITEMS), item_quantity: random.whole(1, 9), item_price: random.whole(100, 20_000) }
    const key = random.chance(KEYED) ? `${this.#run}-${++this.#placed}` : undefined
    const answer = await this.#ask(customer, requests.place(line, key))
    const order = answer.status === 202 ? seenIn(answer.body) : null
    if (order && key !== undefined) customer.placed({ key, line, order_id: order.order_id })
    return judge(answer, 202)
  }

  #repeat (customer: Customer): Promise<Judged> | null {
    if (customer.placements.length === 0) return null
    const { key, line, order_id } = this.#options.random.pick(customer.placements)
    return this.#ask(customer, requests.place(line, key)).then((answer) => judgeRepeated(answer, order_id))
  }

  #amend (customer: Customer): Promise<Judged> | null {
    const order = customer.anOrder(this.#options.random, isAmendable)
    if (order === null) return null
    return this.#ask(customer, requests.amend(order.order_id, { item_quantity: order.item_quantity % 1000 + 1 }, order.version)).then((answer) => {
      // what was read may have been booked, or changed, since
      return answer.status === 412 ? { outcome: 'conflict', why: '412' } : judgeChange(answer)
    })
  }

  #amendStale (customer: Customer): Promise<Judged> | null {
    const order = customer.anOrder(this.#options.random, (order) => order.version > 1 && isAmendable(order))
    return order && this.#ask(customer, requests.amend(order.order_id, { item_quantity: 1 }, order.version - 1)).then(judgeStale)
  }

  #move (customer: Customer, from: readonly string[], to: string): Promise<Judged> | null {
    const order = this.#operator && customer.anOrder(this.#options.random, ({ status }) => from.includes(status))
    if (order === null) return null
    return this.#askAs(this.#operator!, customer, requests.move(order.order_id, to)).then(judgeChange)
  }

  #cancel (customer: Customer): Promise<Judged> | null {
    const order = customer.anOrder(this.#options.random, ({ status }) => ['accepted', 'confirmed', 'paid'].includes(status))
    return order && this.#ask(customer, requests.cancel(order.order_id)).then(judgeChange)
  }

  #read (customer: Customer): Promise<Judged> | null {
    const order = customer.anOrder(this.#options.random)
    return order && this.#ask(customer, requests.read(order.order_id)).then((answer) => judge(answer, 200))
  }

  async #list (customer: Customer): Promise<Judged> {
    return judge(await this.#ask(customer, requests.list(20)), 200)
  }

  #follow (customer: Customer): Promise<Judged> | null {
    const { mostFollowers, signal } = this.#options
    if (this.#followers >= mostFollowers) return null
    this.#followers++
    const { opened, over } = follow(this.#asking.urlOf('/events'), customer.authorization, signal, () => { this.told++ })
    void over.finally(() => this.#followers--)
    return opened
  }

  async #ask (customer: Customer, asked: Asked): Promise<Answered> {
    return await this.#askAs(customer, customer, asked)
  }

  /** What is shown is learned for the owner. */
  async #askAs (asker: Customer, owner: Customer, asked: Asked): Promise<Answered> {
    const answer = await this.#asking.ask(requests.withHeaders(asked, asker.authorization))
    if (answer.status === 401) asker.loggedOut()
    const { items } = (answer.body ?? {}) as { items?: unknown[] }
    if (answer.status < 300) (items ?? [answer.body]).map(seenIn).forEach((order) => order && owner.learn(order))
    return answer
  }
}

function isAmendable ({ status }: { status: string }): boolean {
  return status === 'accepted' || status === 'confirmed'
}

async function done ({ outcome, why }: Judged): Promise<void> {
  if (outcome !== 'ok') throw new Error(`no customer can register and log in there: ${why}`)
}
