import { UserError } from '../users/errors.js'
import { decodeCursor, toPage, type UserPage } from '../users/page.js'
import type { Caller } from '../users/roles.js'
import { canonicalName, LARGEST_USER_ID, type PersonChange, type Registration, type User } from '../users/user.js'
import { documentOf } from './document.js'
import type { PasswordsPort, PersonalDataPort, RevocationsPort, UsersPort } from './ports.js'

export interface UserAccountsOptions {
  users: UsersPort
  passwords: PasswordsPort
  revocations: RevocationsPort
  personalData: PersonalDataPort
}

/** Registers people, shows and changes them, forgets them. */
export class UserAccounts {
  readonly #options: UserAccountsOptions

  constructor (options: UserAccountsOptions) {
    this.#options = options
  }

  /** @param from as PasswordsPort has it @throws UserError `account_taken` */
  async register (person: Registration, from?: string): Promise<User> {
    const { users, passwords } = this.#options
    const password = await passwords.hash(person.password, from)
    return await users.insert({ ...person, nick_name: canonicalName(person.nick_name), password })
  }

  /** @throws UserError `forbidden` for customers; `bad_cursor` */
  async list ({ limit, cursor }: { limit: number, cursor?: string | undefined }, caller: Caller): Promise<UserPage> {
    if (caller.role !== 'operator') throw new UserError('forbidden')
    const after = cursor === undefined ? 0 : decodeCursor(cursor)
    if (after === null) throw new UserError('bad_cursor')
    return toPage(await this.#options.users.list({ after, limit: limit + 1 }), limit)
  }

  /** @param named a user_id or `me` @throws UserError `user_not_found` */
  async find (named: string, caller: Caller): Promise<User> {
    return found(await this.#options.users.find(userIdOf(named, caller)))
  }

  /** A change that changes nothing answers the user as is. @throws UserError `user_not_found`, `account_taken` */
  async change (named: string, change: PersonChange, caller: Caller): Promise<User> {
    const { users } = this.#options
    const user_id = userIdOf(named, caller)
    const { nick_name } = change
    const canonical = nick_name === undefined ? change : { ...change, nick_name: canonicalName(nick_name) }
    return found(await users.update(user_id, canonical) ?? await users.find(user_id))
  }

  /** Erases the personal data and ends the sessions; orders stay. Safe to repeat. @throws UserError `user_not_found` */
  async erase (named: string, caller: Caller): Promise<void> {
    const { users, revocations } = this.#options
    const user_id = userIdOf(named, caller)
    const epoch = await users.erase(user_id)
    if (epoch === null) throw new UserError('user_not_found')
    await revocations.mark(user_id, epoch)
  }

  /** Whose orders the caller may list, the erased among them. @throws UserError `user_not_found` */
  async ownerOfOrders (named: string, caller: Caller): Promise<number> {
    const user_id = userIdOf(named, caller)
    if (user_id !== caller.user_id && !await this.#options.users.existed(user_id)) throw new UserError('user_not_found')
    return user_id
  }

  /** Everything held about the caller, as one JSON document in pieces. @throws UserError `user_not_found`, before the first piece */
  async export (caller: Caller): Promise<AsyncIterable<string>> {
    const user = await this.find('me', caller)
    return documentOf({ exported_at: new Date().toISOString(), user }, this.#options.personalData.pages(user.user_id))
  }
}

/** @throws UserError `user_not_found` when a customer names another user: who exists is private */
export function userIdOf (named: string, { user_id, role }: Caller): number {
  const wanted = named === 'me' ? user_id : Number(named)
  if (wanted !== user_id && (role !== 'operator' || wanted > LARGEST_USER_ID)) throw new UserError('user_not_found')
  return wanted
}

function found (user: User | null): User {
  if (!user) throw new UserError('user_not_found')
  return user
}
