import { UserError } from '../users/errors.js'
import { canonicalName, type Credentials, type Registration, type User } from '../users/user.js'
import type { PasswordsPort, UsersPort } from './ports.js'

/** Registers people and knows them again. */
export class UserDesk {
  readonly #users: UsersPort
  readonly #passwords: PasswordsPort

  constructor (users: UsersPort, passwords: PasswordsPort) {
    this.#users = users
    this.#passwords = passwords
  }

  /** @throws UserError `nick_name_taken` or `cpf_taken` */
  async register (person: Registration): Promise<User> {
    const password = await this.#passwords.hash(person.password)
    return await this.#users.insert({ ...person, nick_name: canonicalName(person.nick_name), password })
  }

  /** An unknown name and a wrong password are told apart by nothing, time included. @throws UserError `wrong_credentials` */
  async login (nickName: string, password: string): Promise<Pick<Credentials, 'user_id' | 'role'>> {
    const credentials = await this.#users.credentials(canonicalName(nickName))
    const right = await this.#passwords.check(credentials?.password ?? null, password)
    if (!credentials || !right) throw new UserError('wrong_credentials')
    return { user_id: credentials.user_id, role: credentials.role }
  }
}
