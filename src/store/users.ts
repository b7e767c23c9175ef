import { UserError, type UserErrorCode } from '../users/errors.js'
import type { Session } from '../users/session.js'
import type { Credentials, PersonChange, Registration, User } from '../users/user.js'
import { type Client, run } from './database.js'
import { StoreError } from './failures.js'

const COLUMNS = 'user_id, nick_name, full_name, cpf, email, phone_number, role, created_at, updated_at'

/** @param person with the password already hashed @throws UserError when the nick_name or the CPF is taken */
export async function insertUser (client: Client, person: Registration): Promise<User> {
  const rows = await unlessTaken(run<User>(client, 'insert_user', `
    insert into users (nick_name, password, full_name, cpf, email, phone_number) values ($1, $2, $3, $4, $5, $6)
    returning ${COLUMNS}`, [person.nick_name, person.password, person.full_name, person.cpf, person.email, person.phone_number]))
  return rows[0]!
}

export async function findUser (client: Client, userId: number): Promise<User | null> {
  const rows = await run<User>(client, 'find_user', `select ${COLUMNS} from users where user_id = $1 and erased_at is null`, [userId])
  return rows[0] ?? null
}

/** By user_id; keyset, so every page costs the same. */
export async function listUsers (client: Client, { after, limit }: { after: number, limit: number }): Promise<User[]> {
  return await run<User>(client, 'list_users', `
    select ${COLUMNS} from users where user_id > $1 and erased_at is null order by user_id limit $2`, [after, limit])
}

/** @returns the user as changed; null when there is none or nothing to change @throws UserError when the nick_name or the CPF is taken */
export async function updateUser (client: Client, userId: number, { nick_name, full_name, cpf, email, phone_number }: PersonChange): Promise<User | null> {
  const rows = await unlessTaken(run<User>(client, 'update_user', `
    update users
    set nick_name = coalesce($2, nick_name), full_name = coalesce($3, full_name), cpf = coalesce($4, cpf),
      email = coalesce($5, email), phone_number = coalesce($6, phone_number), updated_at = now()
    where user_id = $1 and erased_at is null and (nick_name, full_name, cpf, email, phone_number) is distinct from
      (coalesce($2, nick_name), coalesce($3, full_name), coalesce($4, cpf), coalesce($5, email), coalesce($6, phone_number))
    returning ${COLUMNS}`, [userId, nick_name, full_name, cpf, email, phone_number]))
  return rows[0] ?? null
}

const CREDENTIALS = 'user_id, role, session_epoch as epoch, password'

export async function findCredentials (client: Client, nickName: string): Promise<Credentials | null> {
  const rows = await run<Credentials>(client, 'find_credentials', `
    select ${CREDENTIALS} from users where nick_name = $1 and erased_at is null`, [nickName])
  return rows[0] ?? null
}

export async function findOwnCredentials (client: Client, userId: number): Promise<Credentials | null> {
  const rows = await run<Credentials>(client, 'find_own_credentials', `
    select ${CREDENTIALS} from users where user_id = $1 and erased_at is null`, [userId])
  return rows[0] ?? null
}

export async function findSession (client: Client, userId: number): Promise<Session | null> {
  const rows = await run<Session>(client, 'find_session', `
    select user_id, role, session_epoch as epoch from users where user_id = $1 and erased_at is null`, [userId])
  return rows[0] ?? null
}

/**
 * Begins a new epoch of sessions with a new password.
 * @param hashes `old` guards: of several who change it at once one wins
 * @returns the new epoch; null when the password is no longer the old one
 */
export async function updatePassword (client: Client, userId: number, hashes: { old: string, new: string }): Promise<number | null> {
  const rows = await run<{ epoch: number }>(client, 'update_password', `
    update users set password = $3, session_epoch = session_epoch + 1, updated_at = now()
    where user_id = $1 and password = $2 and erased_at is null
    returning session_epoch as epoch`, [userId, hashes.old, hashes.new])
  return rows[0]?.epoch ?? null
}

/** Personal columns become null for ever; the row stays, for its orders. @returns the epoch of sessions that begins; null when there was no such user */
export async function eraseUser (client: Client, userId: number): Promise<number | null> {
  const [erased] = await run<{ epoch: number }>(client, 'erase_user', `
    update users
    set nick_name = null, password = null, full_name = null, cpf = null, email = null, phone_number = null,
      session_epoch = session_epoch + 1, erased_at = now(), updated_at = now()
    where user_id = $1 and erased_at is null
    returning session_epoch as epoch`, [userId])
  if (erased) return erased.epoch
  const [before] = await run<{ epoch: number }>(client, 'find_erased', 'select session_epoch as epoch from users where user_id = $1', [userId])
  return before?.epoch ?? null
}

/** @returns whether there is, or was until an erasure, such a user */
export async function wasUser (client: Client, userId: number): Promise<boolean> {
  return (await run(client, 'was_user', 'select from users where user_id = $1', [userId])).length > 0
}

const KNOWN = 'user_id, nick_name, role'

/** Whom a command is about. */
export async function findKnownUser (client: Client, by: { user_id: number } | { nick_name: string }): Promise<Pick<User, 'user_id' | 'nick_name' | 'role'> | null> {
  const rows = 'user_id' in by
    ? await run<User>(client, 'find_known_user', `select ${KNOWN} from users where user_id = $1 and erased_at is null`, [by.user_id])
    : await run<User>(client, 'find_known_name', `select ${KNOWN} from users where nick_name = $1 and erased_at is null`, [by.nick_name])
  return rows[0] ?? null
}

/** @returns whether there was such a user */
export async function promoteUser (client: Client, userId: number): Promise<boolean> {
  return (await run(client, 'promote_user', `
    update users set role = 'operator', updated_at = now() where user_id = $1 and erased_at is null returning user_id`, [userId])).length > 0
}

const TAKEN: Record<string, UserErrorCode> = {
  users_nick_name_key: 'nick_name_taken',
  taken_names_pkey: 'nick_name_taken', // by a user who was erased
  users_cpf_key: 'cpf_taken'
}

async function unlessTaken<T> (statement: Promise<T>): Promise<T> {
  try {
    return await statement
  } catch (error) {
    const code = error instanceof StoreError ? TAKEN[error.constraint ?? ''] : undefined
    throw code ? new UserError(code, { cause: error }) : error
  }
}
