import type { Requester } from '../users/actions.js'
import { UserError } from '../users/errors.js'
import type { Session } from '../users/session.js'
import { canonicalName } from '../users/user.js'
import type { CredentialsPort, PasswordsPort, RevocationsPort } from './ports.js'
import { userIdOf } from './user-accounts.js'

export interface UserSessionsOptions {
  credentials: CredentialsPort
  passwords: PasswordsPort
  revocations: RevocationsPort
}

/** Knows people by their passwords, and says whose sessions go on. */
export class UserSessions {
  readonly #options: UserSessionsOptions

  constructor (options: UserSessionsOptions) {
    this.#options = options
  }

  /** @param from as PasswordsPort has it. An unknown name and a wrong password are told apart by nothing, time included. @throws UserError `wrong_credentials` */
  async login (nickName: string, password: string, from?: string): Promise<Session> {
    const credentials = await this.#options.credentials.ofName(canonicalName(nickName))
    const right = await this.#options.passwords.check(credentials?.password ?? null, password, from)
    if (!credentials || !right) throw new UserError('wrong_credentials')
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

  /** Ends every session begun before, the caller's too. @throws UserError `user_not_found`, `self_only`, `wrong_password` */
  async changePassword (named: string, given: { password: string, new_password: string }, caller: Requester, from?: string): Promise<void> {
    const { credentials, passwords, revocations } = this.#options
    if (userIdOf(named, caller) !== caller.user_id) throw new UserError('self_only')
    const known = await credentials.ofUser(caller.user_id)
    if (!known) throw new UserError('user_not_found')
    if (!await passwords.check(known.password, given.password, from)) throw new UserError('wrong_password')
    const epoch = await credentials.replace(caller.user_id, { old: known.password, new: await passwords.hash(given.new_password, from) }, caller)
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
}
