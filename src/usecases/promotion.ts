import { UserError } from '../users/errors.js'
import { canonicalName, LARGEST_USER_ID, type User } from '../users/user.js'

export type KnownUser = Pick<User, 'user_id' | 'nick_name' | 'role'>

/** @throws StoreError when it cannot be asked */
export interface NamedUsersPort {
  /** Each null where there is no such user. */
  byId (userId: number): Promise<KnownUser | null>
  byName (nickName: string): Promise<KnownUser | null>
}

const USER_ID = /^[1-9][0-9]*$/

/** Whom an operator at a terminal means: digits are a user_id, never a name, so no name can pass for another's number. @throws UserError `user_not_found` */
export async function userNamed (users: NamedUsersPort, named: string): Promise<KnownUser & { by: 'user_id' | 'nick_name' }> {
  const by = USER_ID.test(named) ? 'user_id' : 'nick_name'
  const user = by === 'nick_name' ? await users.byName(canonicalName(named)) : Number(named) > LARGEST_USER_ID ? null : await users.byId(Number(named))
  if (!user) throw new UserError('user_not_found')
  return { ...user, by }
}

/**
 * Does something to the user whom an administrator named.
 * @param named a user_id, or a name, which may look like another's and is therefore confirmed
 * @param act null where there is no such user
 * @returns null where it was not confirmed @throws UserError `user_not_found`
 */
export async function actOnNamed<T> (users: NamedUsersPort, named: string, confirm: (user: KnownUser) => Promise<boolean>, act: (userId: number) => Promise<T | null>): Promise<{ userId: number, result: T } | null> {
  const user = await userNamed(users, named)
  if (user.by === 'nick_name' && !await confirm(user)) return null
  // By number: a name may have changed hands while the question stood.
  const result = await act(user.user_id)
  if (result === null) throw new UserError('user_not_found')
  return { userId: user.user_id, result }
}
