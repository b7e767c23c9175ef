import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { outcomeOf, problemIn } from '../testkit/clients/answers.js'
import type { Asking } from '../testkit/clients/asking.js'
import * as requests from '../testkit/clients/requests.js'
import { cpfOf } from '../testkit/cpf.js'
import type { Environment } from './environment.js'
import type { History } from './history.js'

/** Of a token's life; then it is renewed. */
const RENEW_AFTER = 0.5
const RETRY_MS = 500

/** Somebody who is logged in and stays so: the token is renewed before it expires, and a login made when it did. */
export class Person {
  readonly name: string
  readonly user_id: number
  readonly #asking: Asking
  readonly #history: History
  #token = ''
  #renewing: NodeJS.Timeout | undefined
  #expires = 0
  #asked = 0
  #gone = false

  constructor (name: string, user_id: number, asking: Asking, history: History) {
    this.name = name
    this.user_id = user_id
    this.#asking = asking
    this.#history = history
  }

  get authorization (): string {
    return `Bearer ${this.#token}`
  }

  /** For a request of this person's: no two have the same. */
  nextRequestId (): string {
    return `drill-${this.name}-${++this.#asked}`
  }

  /** @throws Error when the first login fails */
  async logIn (): Promise<void> {
    if (!await this.#session('/auth/token')) throw new Error(`${this.name} cannot log in`)
  }

  leave (): void {
    this.#gone = true
    clearTimeout(this.#renewing)
  }

  async #session (path: '/auth/token' | '/auth/token/renew'): Promise<boolean> {
    const request_id = this.nextRequestId()
    const end = this.#history.invoke({ client: this.name, user_id: this.user_id, kind: 'session', request_id })
    const renews = path.endsWith('renew')
    const asked = renews ? requests.withHeaders(requests.renew(), { authorization: this.authorization }) : requests.logIn(this.name)
    const answer = await this.#asking.ask(requests.withHeaders(asked, { 'x-request-id': request_id }))
    const problem = answer.fault || problemIn(answer.body)
    end({ outcome: outcomeOf(answer.status, problem), status: answer.status, problem, seen: [] })
    const ok = answer.status === 200
    if (ok) {
      const { access_token, expires_in } = answer.body as { access_token: string, expires_in: number }
      this.#token = access_token
      this.#expires = Date.now() + expires_in * 1000
    }
    if (!this.#gone) this.#renewing = setTimeout(() => { void this.#renew() }, ok ? (this.#expires - Date.now()) * RENEW_AFTER : RETRY_MS)
    return ok
  }

  async #renew (): Promise<void> {
    await this.#session(Date.now() < this.#expires ? '/auth/token/renew' : '/auth/token')
  }
}

/** Registers so many customers and an operator, and logs them in. @throws Error when one of them is turned away */
export async function register (environment: Environment, asking: Asking, history: History, customers: number): Promise<{ customers: Person[], operator: Person }> {
  const people: Person[] = []
  for (let index = 0; index <= customers; index++) {
    const name = index === customers ? 'operator' : `c${index + 1}`
    const answer = await patiently(async () => await asking.ask(requests.register({ nick_name: name, full_name: `Drill ${name}`, cpf: cpfOf(100_000_001 + index) })))
    if (answer.status !== 201) throw new Error(`${name} cannot register: ${answer.status} ${answer.fault}${JSON.stringify(answer.body)}`)
    people.push(new Person(name, (answer.body as { user_id: number }).user_id, asking, history))
  }
  await promisify(execFile)(process.execPath, [join(environment.build, 'cli.js'), 'users', 'promote', 'operator', '--yes'], { env: { PATH: process.env.PATH, ...environment.env } })
  for (const person of people) await person.logIn()
  const operator = people.pop()!
  return { customers: people, operator }
}

/** Password hashing has a bound: a busy machine answers 503 for a moment. */
async function patiently<T extends { status: number }> (ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask()
    if (answer.status !== 503 || tries === 10) return answer
    await wait(RETRY_MS)
  }
}
