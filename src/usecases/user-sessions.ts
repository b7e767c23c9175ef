import type { Requester } from '../users/actions.js'
import { UserError } from '../users/errors.js'
import type { Session } from '../users/session.js'
import { canonicalPassword } from '../users/password.js'
import { canonicalName, type Credentials } from '../users/user.js'
import { checkPassword, hashNewPassword } from './new-password.js'
import type { CredentialsPort, PasswordsPort, RevocationsPort, UsersPort } from './ports.js'
import { userIdOf } from './user-accounts.js'

export interface UserSessionsOptions {
  credentials: CredentialsPort
  passwords: PasswordsPort
  revocations: RevocationsPort
  users: Pick<UsersPort, 'find'>
}

/** Knows people by their passwords, and says whose sessions go on. */
export class UserSessions {
  readonly #options: UserSessionsOptions

  constructor (options: UserSessionsOptions) {
    this.#options = options
  }

  /** @param from as PasswordsPort has it. An unknown name and a wrong password are told apart by nothing, time included. @throws UserError `wrong_credentials` */
  async login (nickName: string, password: string, from?: string): Promise<Session> {
    const credentials = await this.#options.credentials.ofName(canonicalName(nickName), from)
    const { right, asGiven } = await checkPassword(this.#options.passwords, credentials?.password ?? null, password, from)
    if (!credentials || !right) throw new UserError('wrong_credentials')
    if (asGiven || this.#options.passwords.needsRehash(credentials.password)) void this.#rehash(credentials, password)
    const { user_id, role, epoch } = credentials
    return { user_id, role, epoch }
  }

  /**
   * Whether a session may go on, and in which role: the tables know. While they cannot be asked the marks alone decide,
   * if all of them are known, so that an outage stops no user who is at work.
   * @param session not marked @throws UserError `token_revoked`
   */
  async renew (session: Session): Promise<Session> {
    const { credentials, revocations } = this.#options
    let present: Session | null
    try {
      present = await credentials.session(session.user_id)
    } catch (error) {
      if (revocations.complete) return session
      throw error
    }
    if (!present || present.epoch > session.epoch) throw new UserError('token_revoked')
    return present
  }

  /** Ends every session begun before, the caller's too. @throws UserError `user_not_found`, `self_only`, `wrong_password`, `weak_password` */
  async changePassword (named: string, given: { password: string, new_password: string }, caller: Requester, from?: string): Promise<void> {
    const { credentials, passwords, revocations, users } = this.#options
    if (userIdOf(named, caller) !== caller.user_id) throw new UserError('self_only')
    const known = await credentials.ofUser(caller.user_id)
    if (!known) throw new UserError('user_not_found')
    if (!(await checkPassword(passwords, known.password, given.password, from)).right) throw new UserError('wrong_password')
    const user = await users.find(caller.user_id)
    if (!user) throw new UserError('user_not_found')
    const epoch = await credentials.replace(caller.user_id, { old: known.password, new: await hashNewPassword(passwords, given.new_password, { member: 'new_password', own: user, from }) }, caller)
    if (epoch === null) throw new UserError('wrong_password')
    await revocations.mark(caller.user_id, epoch)
  }

  /** Ends every session of the caller's, this one too. @throws UserError `token_revoked`: it is over already */
  async logOut (caller: Session & Requester): Promise<void> {
    const { credentials, revocations } = this.#options
    const epoch = await credentials.endSessions(caller, caller)
    if (epoch === null) throw new UserError('token_revoked')
    await revocations.mark(caller.user_id, epoch)
  }

  /** Beside the login, which it neither slows nor fails: what cannot be stored now is stored at the next one. */
  async #rehash ({ user_id, password: old }: Credentials, given: string): Promise<void> {
    const { credentials, passwords } = this.#options
    try {
      await credentials.rehash(user_id, { old, new: await passwords.hash(canonicalPassword(given)) })
    } catch {
      // A busy machine, or a database that is away or read-only: the old hash is as good as before.
    }
  }
}
