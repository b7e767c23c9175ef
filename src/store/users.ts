import { UserError } from '../users/errors.js'
import type { Credentials, Registration, User } from '../users/user.js'
import { type Client, run } from './database.js'
import { StoreError } from './failures.js'

const COLUMNS = 'user_id, nick_name, full_name, cpf, email, phone_number, role, created_at, updated_at'

/** @param person with the password already hashed @throws UserError when the nick_name or the CPF is taken */
export async function insertUser (client: Client, person: Registration): Promise<User> {
  try {
    const rows = await run<User>(client, 'insert_user', `
      insert into users (nick_name, password, full_name, cpf, email, phone_number) values ($1, $2, $3, $4, $5, $6)
      returning ${COLUMNS}`, [person.nick_name, person.password, person.full_name, person.cpf, person.email, person.phone_number])
    return rows[0]!
  } catch (error) {
    if (error instanceof StoreError && error.constraint === 'users_nick_name_key') throw new UserError('nick_name_taken', { cause: error })
    if (error instanceof StoreError && error.constraint === 'users_cpf_key') throw new UserError('cpf_taken', { cause: error })
    throw error
  }
}

export async function findCredentials (client: Client, nickName: string): Promise<Credentials | null> {
  const rows = await run<Credentials>(client, 'find_credentials', `
    select user_id, role, password from users where nick_name = $1 and erased_at is null`, [nickName])
  return rows[0] ?? null
}

/** @returns whether there is such a user */
export async function promoteUser (client: Client, nickName: string): Promise<boolean> {
  const rows = await run(client, 'promote_user', `
    update users set role = 'operator', updated_at = now() where nick_name = $1 and erased_at is null returning user_id`, [nickName])
  return rows.length > 0
}
