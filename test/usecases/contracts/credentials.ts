import type { Test } from 'tap'
import { actionOnUser, actorOf } from '../../../src/users/actions.js'
import { AWAY, NOBODY, type OpenedUsers, operator, someone, themself } from './users.js'

export function credentialsContract (t: Test, open: (t: Test) => Promise<OpenedUsers>): void {
  t.test('a user is known by name and by id, with the password as stored; a session without', async (t) => {
    const { users, credentials, makeOperator } = await open(t)
    const { nick_name, password } = someone()
    const { user_id } = await users.insert(someone({ nick_name, password }))
    t.strictSame(await credentials.ofName(nick_name), { user_id, role: 'customer', epoch: 0, password })
    t.strictSame(await credentials.ofUser(user_id), { user_id, role: 'customer', epoch: 0, password })
    await makeOperator(user_id)
    t.strictSame(await credentials.session(user_id), { user_id, role: 'operator', epoch: 0 }, 'with the role of this moment')
    t.strictSame([await credentials.ofName(`${nick_name}x`), await credentials.ofUser(NOBODY), await credentials.session(NOBODY)], [null, null, null])
  })

  t.test('a new password replaces the old one and begins an epoch; one that is no longer the old one replaces nothing', async (t) => {
    const { users, credentials } = await open(t)
    const { user_id: id } = await users.insert(someone({ password: 'old' }))
    t.equal(await credentials.replace(id, { old: 'old', new: 'new' }, themself(id)), 1)
    t.match(await credentials.ofUser(id), { password: 'new', epoch: 1 })
    t.equal(await credentials.replace(id, { old: 'old', new: 'other' }, themself(id)), null)
    t.match(await credentials.ofUser(id), { password: 'new', epoch: 1 })
    t.equal(await credentials.replace(NOBODY, { old: 'old', new: 'new' }, themself(NOBODY)), null)
  })

  t.test('sessions end by their epoch, once: a newer one is left alone', async (t) => {
    const { users, credentials, recorded } = await open(t)
    const { user_id } = await users.insert(someone())
    const by = themself(user_id)
    t.equal(await credentials.endSessions({ user_id, epoch: 0 }, by), 1)
    t.equal(await credentials.endSessions({ user_id, epoch: 0 }, by), null)
    t.equal(await credentials.endSessions({ user_id, epoch: 1 }, by), 2)
    t.match(await credentials.session(user_id), { epoch: 2 })
    t.equal(await credentials.endSessions({ user_id: NOBODY, epoch: 0 }, themself(NOBODY)), null)
    t.strictSame(await recorded(), [1, 2].map(() => actionOnUser(actorOf(by), 'sessions.ended', user_id)))
  })

  t.test('a new password is recorded as an action, a refused one is not', async (t) => {
    const { users, credentials, recorded } = await open(t)
    const { user_id: id } = await users.insert(someone({ password: 'old' }))
    for (const old of ['wrong', 'old', 'old']) await credentials.replace(id, { old, new: 'new' }, themself(id))
    t.strictSame(await recorded(), [actionOnUser(actorOf(themself(id)), 'user.password_changed', id)])
  })

  t.test('of several who replace a password at once one does', async (t) => {
    const { users, credentials } = await open(t)
    const { user_id: id } = await users.insert(someone({ password: 'old' }))
    const epochs = await Promise.all(['a', 'b', 'c'].map(async (one) => await credentials.replace(id, { old: 'old', new: one }, themself(id))))
    t.strictSame(epochs.filter((epoch) => epoch !== null), [1])
  })

  t.test('another hash of the same password begins no epoch; it replaces only the old one', async (t) => {
    const { users, credentials } = await open(t)
    const { user_id: id } = await users.insert(someone({ password: 'old' }))
    const before = await users.find(id)
    await credentials.rehash(id, { old: 'other', new: 'not this' })
    t.match(await credentials.ofUser(id), { password: 'old', epoch: 0 })
    await credentials.rehash(id, { old: 'old', new: 'new' })
    t.match(await credentials.ofUser(id), { password: 'new', epoch: 0 })
    t.strictSame(await users.find(id), before)
    await credentials.rehash(NOBODY, { old: 'old', new: 'new' })
  })

  t.test('an erased user has none', async (t) => {
    const { users, credentials } = await open(t)
    const { user_id: id, nick_name } = await users.insert(someone({ password: 'old' }))
    await users.erase(id, operator)
    t.strictSame([await credentials.ofName(nick_name), await credentials.ofUser(id), await credentials.session(id), await credentials.replace(id, { old: 'old', new: 'new' }, themself(id))], [null, null, null, null])
  })

  t.test('where it cannot be asked it throws that', async (t) => {
    const { credentials, cut } = await open(t)
    cut()
    const asked = [credentials.ofName('x'), credentials.ofUser(1), credentials.session(1), credentials.replace(1, { old: 'x', new: 'y' }, themself(1)), credentials.endSessions({ user_id: 1, epoch: 0 }, themself(1))]
    t.match(await Promise.allSettled(asked), asked.map(() => AWAY))
  })
}
