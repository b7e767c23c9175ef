import { actionOnUser, type Actor, actorOf, type Requester } from '../users/actions.js'
import { UserError } from '../users/errors.js'
import type { Role } from '../users/roles.js'
import type { PersonChange, User } from '../users/user.js'
import { recordAction } from './actions.js'
import { type Client, inTransaction, type Pool, run } from './database.js'
import { lockValues, type Pseudonymous } from './taken-names.js'
import { endSessions, eraseUser, findSession, updatePassword, updateRole, updateUser } from './users.js'

/** Each change of a user with its action, in one transaction: neither is ever there without the other. */

/** @returns null when there is no such user, or nothing to change @throws UserError as updateUser; `operator_account` */
export async function changeUserFor (pool: Pool, pseudonyms: Pseudonymous, userId: number, change: PersonChange, by: Requester): Promise<User | null> {
  return await inTransaction(pool, async (client) => {
    // Before the row, as everywhere: two who hold one of each would wait for each other.
    if (change.nick_name !== undefined || change.cpf !== undefined) await lockValues(client, pseudonyms, change)
    await holdCustomer(client, userId, by)
    const user = await updateUser(client, pseudonyms, userId, change)
    if (user) await recordAction(client, actionOnUser(actorOf(by), 'user.changed', userId))
    return user
  })
}

/** @returns the epoch of sessions that begins, again for one erased before; null when there never was such a user @throws UserError `operator_account` */
export async function eraseUserFor (pool: Pool, pseudonyms: Pseudonymous, userId: number, by: Requester): Promise<number | null> {
  return await inTransaction(pool, async (client) => {
    await holdCustomer(client, userId, by)
    const { epoch, erased } = await eraseUser(client, pseudonyms, userId)
    if (erased) await recordAction(client, actionOnUser(actorOf(by), 'user.erased', userId))
    return epoch
  })
}

/** @returns the epoch that begins; null when the password is no longer the old one */
export async function updatePasswordFor (pool: Pool, userId: number, hashes: { old: string, new: string }, by: Requester): Promise<number | null> {
  return await inTransaction(pool, async (client) => {
    const epoch = await updatePassword(client, userId, hashes)
    if (epoch !== null) await recordAction(client, actionOnUser(actorOf(by), 'user.password_changed', userId))
    return epoch
  })
}

/** Ends what this epoch began. @returns the epoch that begins; null when it is over already */
export async function endSessionsFor (pool: Pool, { user_id, epoch }: { user_id: number, epoch: number }, by: Actor): Promise<number | null> {
  return await inTransaction(pool, async (client) => {
    const begun = await endSessions(client, user_id, epoch)
    if (begun !== null) await recordAction(client, actionOnUser(by, 'sessions.ended', user_id))
    return begun
  })
}

/** Safe to repeat. @returns the epoch of sessions from now on; null when there is no such user */
export async function changeRoleFor (pool: Pool, userId: number, role: Role, by: Actor): Promise<{ epoch: number, changed: boolean } | null> {
  return await inTransaction(pool, async (client) => {
    const begun = await updateRole(client, userId, role)
    if (begun !== null) {
      await recordAction(client, actionOnUser(by, role === 'operator' ? 'user.promoted' : 'user.demoted', userId))
      return { epoch: begun, changed: true }
    }
    const session = await findSession(client, userId)
    return session && { epoch: session.epoch, changed: false }
  })
}

/**
 * Operators act on customers and on themselves. The row is held until the end of the transaction: whoever becomes an operator
 * meanwhile became one before or does after, never in between.
 */
async function holdCustomer (client: Client, userId: number, by: Requester): Promise<void> {
  if (userId === by.user_id) return
  const [held] = await run<{ role: string }>(client, 'hold_user', 'select role from users where user_id = $1 and erased_at is null for no key update', [userId])
  if (held?.role === 'operator') throw new UserError('operator_account')
}
