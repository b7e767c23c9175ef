import { UserError } from '../users/errors.js'
import type { Role } from '../users/roles.js'
import type { Session } from '../users/session.js'
import type { Credentials, PersonChange, Registration, User } from '../users/user.js'
import { type Client, inTransaction, type Pool, run } from './database.js'
import { StoreError } from './failures.js'
import { removeEndpointsOf } from './webhooks.js'
import { erasedName, isTaken, lockValues, type Pseudonymous } from './taken-names.js'

const COLUMNS = 'user_id, nick_name, full_name, cpf, email, phone_number, role, created_at, updated_at'

/** @param person with the password already hashed @throws UserError `account_taken` */
export async function insertUser (pool: Pool, pseudonyms: Pseudonymous, person: Registration): Promise<User> {
  return await inTransaction(pool, async (client) => {
    await lockValues(client, pseudonyms, person)
    if (await isTaken(client, pseudonyms, person, null)) throw new UserError('account_taken')
    const [user] = await run<User>(client, 'insert_user', `
      insert into users (nick_name, password, full_name, cpf, email, phone_number) values ($1, $2, $3, $4, $5, $6)
      on conflict do nothing returning ${COLUMNS}`, [person.nick_name, person.password, person.full_name, person.cpf, person.email, person.phone_number])
    if (!user) throw new UserError('account_taken') // by a process of the release before, which takes no lock
    return user
  })
}

export async function findUser (client: Client, userId: number): Promise<User | null> {
  const rows = await run<User>(client, 'find_user', `select ${COLUMNS} from users where user_id = $1 and erased_at is null`, [userId])
  return rows[0] ?? null
}

/** By user_id; keyset, so every page costs the same. */
export async function listUsers (client: Client, { after, limit, nick_name }: { after: number, limit: number, nick_name?: string | undefined }): Promise<User[]> {
  if (nick_name !== undefined) return await run<User>(client, 'list_named', `select ${COLUMNS} from users where nick_name = $1 and user_id > $2 and erased_at is null limit $3`, [nick_name, after, limit])
  return await run<User>(client, 'list_users', `
    select ${COLUMNS} from users where user_id > $1 and erased_at is null order by user_id limit $2`, [after, limit])
}

/**
 * In a transaction that holds the values which must be unique (`lockValues`).
 * @returns the user as changed; null when there is none or nothing to change @throws UserError `account_taken`
 */
export async function updateUser (client: Client, pseudonyms: Pseudonymous, userId: number, change: PersonChange): Promise<User | null> {
  const { nick_name, full_name, cpf, email, phone_number } = change
  if ((nick_name !== undefined || cpf !== undefined) && await isTaken(client, pseudonyms, change, userId)) throw new UserError('account_taken')
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

/** The user's present epoch of sessions, an erased one's too; null when there never was such a user. */
export async function findEpoch (client: Client, userId: number): Promise<number | null> {
  const [row] = await run<{ epoch: number }>(client, 'find_epoch', 'select session_epoch as epoch from users where user_id = $1', [userId])
  return row?.epoch ?? null
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

/** Another hash of the same password: no session ends, and to its user nothing changed. @param hashes `old` guards as above */
export async function rehashPassword (client: Client, userId: number, hashes: { old: string, new: string }): Promise<void> {
  await run(client, 'rehash_password', 'update users set password = $3 where user_id = $1 and password = $2 and erased_at is null', [userId, hashes.old, hashes.new])
}

/**
 * Personal columns become null for ever; the row stays, for its orders. What is parked of theirs is discarded, and its bytes are gone. Of the name a keyed hash is kept, so that it is never
 * free again: whoever wants it meanwhile sees either its user or the hash. In a transaction.
 * @returns `epoch` of sessions that begins, again for one erased before; null when there never was such a user. `erased`: just now
 */
export async function eraseUser (client: Client, pseudonyms: Pseudonymous, userId: number): Promise<{ epoch: number | null, erased: boolean }> {
  for (;;) {
    const [user] = await run<{ nick_name: string | null, epoch: number }>(client, 'find_name', 'select nick_name, session_epoch as epoch from users where user_id = $1', [userId])
    if (!user) return { epoch: null, erased: false }
    if (user.nick_name === null) return { epoch: user.epoch, erased: false }
    // By the name just read: one that is changed in this very moment is read again.
    const [erased] = await run<{ epoch: number }>(client, 'erase_user', `
      with erased as (
        update users
        set nick_name = null, password = null, full_name = null, cpf = null, email = null, phone_number = null,
          session_epoch = session_epoch + 1, erased_at = now(), updated_at = now()
        where user_id = $1 and nick_name = $2 and set_config('comanda.names', 'keyed', true) = 'keyed'
        returning session_epoch as epoch
      ), kept as (insert into taken_names (name_hash, keyed) select $3, true from erased on conflict do nothing
      ), open as (select hash from parked_events, erased where user_id = $1 and settlement is null
      ), noted as (insert into parked_actions (hash, action, done_by) select hash, 'discarded', 'erasure' from open
      ), emptied as (
        update parked_events set raw = '', headers = '{}', settlement = coalesce(settlement, 'discarded'), settled_at = coalesce(settled_at, now())
        from erased where user_id = $1
      )
      select epoch from erased`, [userId, user.nick_name, erasedName(pseudonyms, user.nick_name)])
    if (erased) {
      await removeEndpointsOf(client, userId)
      return { epoch: erased.epoch, erased: true }
    }
  }
}

/** Begins a new epoch of sessions. @param atMost the epoch that is to end: a newer one is left alone @returns the new epoch; null when there is none such */
export async function endSessions (client: Client, userId: number, atMost: number): Promise<number | null> {
  const rows = await run<{ epoch: number }>(client, 'end_sessions', `
    update users set session_epoch = session_epoch + 1
    where user_id = $1 and session_epoch <= $2 and erased_at is null
    returning session_epoch as epoch`, [userId, atMost])
  return rows[0]?.epoch ?? null
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

/** A new role begins a new epoch of sessions: what was promised under the old one is over. @returns the epoch; null when the role is not another, or there is no such user */
export async function updateRole (client: Client, userId: number, role: Role): Promise<number | null> {
  const rows = await run<{ epoch: number }>(client, 'update_role', `
    update users set role = $2, session_epoch = session_epoch + 1, updated_at = now()
    where user_id = $1 and role <> $2 and erased_at is null
    returning session_epoch as epoch`, [userId, role])
  return rows[0]?.epoch ?? null
}

/** A race that is lost to a process of the release before, which takes no lock. */
async function unlessTaken<T> (statement: Promise<T>): Promise<T> {
  try {
    return await statement
  } catch (error) {
    throw error instanceof StoreError && error.code === 'conflict' ? new UserError('account_taken', { cause: error }) : error
  }
}
