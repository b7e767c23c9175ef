import { actionOnUser, actorOf, type Requester } from '../users/actions.js'
import { UserError } from '../users/errors.js'
import { decodeCursor, toPage, type UserPage } from '../users/page.js'
import type { Caller } from '../users/roles.js'
import { canonicalName, LARGEST_USER_ID, type PersonChange, type Registration, type User } from '../users/user.js'
import { documentOf } from './document.js'
import { checkPassword, hashNewPassword } from './new-password.js'
import type { ActionsPort, CredentialsPort, PasswordsPort, PersonalDataPort, RevocationsPort, UsersPort } from './ports.js'

export interface UserAccountsOptions {
  users: UsersPort
  credentials: Pick<CredentialsPort, 'ofUser'>
  actions: ActionsPort
  passwords: PasswordsPort
  revocations: RevocationsPort
  personalData: PersonalDataPort
}

/** Registers people, shows and changes them, forgets them. What an operator sees of others is recorded before it is shown, or not shown. */
export class UserAccounts {
  readonly #options: UserAccountsOptions

  constructor (options: UserAccountsOptions) {
    this.#options = options
  }

  /** @param from as PasswordsPort has it @throws UserError `weak_password`, `account_taken` */
  async register (person: Registration, from?: string): Promise<User> {
    const { users, passwords } = this.#options
    const password = await hashNewPassword(passwords, person.password, { member: 'password', own: person, from })
    return await users.insert({ ...person, nick_name: canonicalName(person.nick_name), password })
  }

  /** @throws UserError `forbidden` for customers; `bad_cursor` */
  async list ({ limit, cursor, nick_name }: { limit: number, cursor?: string | undefined, nick_name?: string | undefined }, caller: Requester): Promise<UserPage> {
    if (caller.role !== 'operator') throw new UserError('forbidden')
    const after = cursor === undefined ? 0 : decodeCursor(cursor)
    if (after === null) throw new UserError('bad_cursor')
    const page = toPage(await this.#options.users.list({ after, limit: limit + 1, nick_name: nick_name === undefined ? undefined : canonicalName(nick_name) }), limit)
    const [first, last] = [page.items[0], page.items.at(-1)]
    if (first && last) {
      const shown = { ...actionOnUser(actorOf(caller), 'users.listed', first.user_id), target_id: `${first.user_id}-${last.user_id}` }
      await this.#options.actions.record(shown)
    }
    return page
  }

  /** @param named a user_id or `me` @throws UserError `user_not_found` */
  async find (named: string, caller: Requester): Promise<User> {
    const user = found(await this.#options.users.find(userIdOf(named, caller)))
    if (user.user_id !== caller.user_id) await this.#options.actions.record(actionOnUser(actorOf(caller), 'user.read', user.user_id))
    return user
  }

  /**
   * A change that changes nothing answers the user as is.
   * @param password of a user who changes their own nick_name, CPF or e-mail address; checked wherever it is given
   * @throws UserError `user_not_found`, `account_taken`, `operator_account`, `wrong_password`
   */
  async change (named: string, { password, ...change }: PersonChange & { password?: string | undefined }, caller: Requester): Promise<User> {
    const user_id = userIdOf(named, caller)
    if (user_id === caller.user_id && (password !== undefined || needsPassword(change))) await this.#prove(user_id, password)
    const { nick_name } = change
    const canonical = nick_name === undefined ? change : { ...change, nick_name: canonicalName(nick_name) }
    return await this.#options.users.update(user_id, canonical, caller) ?? await this.find(named, caller)
  }

  /**
   * Erases the personal data and ends the sessions; orders stay. Safe to repeat.
   * @param password of a user who erases themself
   * @throws UserError `user_not_found`, `operator_account`, `wrong_password`
   */
  async erase (named: string, password: string | undefined, caller: Requester): Promise<void> {
    const { users, revocations } = this.#options
    const user_id = userIdOf(named, caller)
    if (user_id === caller.user_id) await this.#prove(user_id, password)
    const epoch = await users.erase(user_id, caller)
    if (epoch === null) throw new UserError('user_not_found')
    await revocations.mark(user_id, epoch)
  }

  /**
   * Makes an operator of a customer, whose sessions end; one who is an operator already stays so. Operators are made customers on the
   * command line only.
   * @param password the caller's own @throws UserError `forbidden`, `wrong_password`, `user_not_found`
   */
  async promote (named: string, password: string, by: Requester): Promise<User> {
    if (by.role !== 'operator') throw new UserError('forbidden')
    const { users, revocations } = this.#options
    await this.#prove(by.user_id, password)
    const user_id = userIdOf(named, by)
    const done = await users.promote(user_id, by)
    if (!done) throw new UserError('user_not_found')
    if (done.changed) await revocations.mark(user_id, done.epoch)
    return found(await users.find(user_id))
  }

  /** Whose orders the caller may list, the erased among them. @throws UserError `user_not_found` */
  async ownerOfOrders (named: string, caller: Caller): Promise<number> {
    const user_id = userIdOf(named, caller)
    if (user_id !== caller.user_id && !await this.#options.users.existed(user_id)) throw new UserError('user_not_found')
    return user_id
  }

  /** Everything held about the caller, as one JSON document in pieces. @throws UserError `user_not_found`, before the first piece */
  async export (caller: Requester): Promise<AsyncIterable<string>> {
    const user = await this.find('me', caller)
    return documentOf({ exported_at: new Date().toISOString(), user }, this.#options.personalData.pages(user.user_id))
  }

  /** A token may be stolen: what cannot be taken back asks for more. */
  async #prove (userId: number, password: string | undefined): Promise<void> {
    const { credentials, passwords } = this.#options
    const known = await credentials.ofUser(userId)
    if (!known) throw new UserError('user_not_found')
    if (password === undefined || !(await checkPassword(passwords, known.password, password)).right) throw new UserError('wrong_password')
  }
}

/** Whether users who change this of themselves give their password: by these an account is taken over or its owner kept out. */
export function needsPassword (change: PersonChange): boolean {
  return change.nick_name !== undefined || change.cpf !== undefined || change.email !== undefined
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
