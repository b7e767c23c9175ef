import { UserError } from '../users/errors.js'
import { canonicalName } from '../users/user.js'
import type { CountsPort } from './ports.js'

export interface LoginAttemptsOptions {
  counts: CountsPort
  /** Failed logins a minute for one name from one address. */
  limit: number
  /** Stands for a personal value where it is counted. */
  pseudonym: (kind: 'nick_name' | 'address', value: string) => string
  wait: (ms: number) => Promise<unknown>
}

export interface Attempt {
  nickName: string
  /** As far as one client reaches: an IPv4 address, or the first half of one of IPv6. */
  address: string
}

const WINDOW_MS = 60_000
/** One address may fail for several names, as an office does; not for very many, as who tries one password on everybody. */
const PER_ADDRESS = 10
/** From so many addresses at once nobody forgets a password. */
const PER_NAME = 10
const SLOWER_MS = 20
const SLOWEST_MS = 2000

/**
 * Bounds guessing at passwords, so that nobody can keep a user out: only failures count, and what refuses a login counts
 * those from its own address. Failures for one name from everywhere make each further login for it wait a moment, a right
 * password too, and refuse none.
 */
export class LoginAttempts {
  readonly #options: LoginAttemptsOptions
  readonly failed = { wrong_credentials: 0, too_many_requests: 0 }

  constructor (options: LoginAttemptsOptions) {
    this.#options = options
  }

  /** @param login throws UserError `wrong_credentials` for a failure @throws UserError `too_many_requests`; whatever `login` throws */
  async guard<T> (attempt: Attempt, login: () => Promise<T>): Promise<T> {
    const taken = await this.#begin(attempt)
    // Counted before it is checked: many at once are no way around the bound.
    let failure = false
    try {
      return await login()
    } catch (error) {
      failure = error instanceof UserError && error.code === 'wrong_credentials'
      throw error
    } finally {
      if (failure) this.failed.wrong_credentials++
      else await taken.giveBack()
    }
  }

  async #begin ({ nickName, address }: Attempt): Promise<{ giveBack: () => Promise<void> }> {
    const { counts, limit, pseudonym, wait } = this.#options
    const [name, from] = [pseudonym('nick_name', canonicalName(nickName)), pseudonym('address', address)]
    const taken = await counts.take([
      { key: `login:${name}:${from}`, most: limit },
      { key: `login-address:${from}`, most: limit * PER_ADDRESS },
      { key: `login-name:${name}`, most: Infinity }
    ], WINDOW_MS)
    if (!taken.granted) {
      this.failed.too_many_requests++
      throw new UserError('too_many_requests', { retryAfter: Math.max(Math.ceil(taken.endsInMs / 1000), 1) })
    }
    const above = taken.counts[2]! - limit * PER_NAME
    if (above > 0) await wait(Math.min(above * SLOWER_MS, SLOWEST_MS))
    return taken
  }
}
