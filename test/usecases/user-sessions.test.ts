import t, { type Test } from 'tap'
import type { Session } from '../../src/users/session.js'
import { eventually } from '../support/eventually.js'
import { NOBODY } from './contracts/users.js'
import { openUserService, operator, PASSWORD } from './memory/user-service.js'

const NEW = 'battery staple horse'
const AWAY = { name: 'StoreError', code: 'unavailable' }
const isRefused = async (t: Test, asking: Promise<unknown>, code: string) => await t.rejects(asking, { name: 'UserError', code }, code)
const changing = { password: PASSWORD, new_password: NEW }

t.test('who logs in has a session of the present epoch, in the present role', async (t) => {
  const { sessions, people, newcomer } = openUserService()
  const { user: { user_id }, session } = await newcomer({ nick_name: 'Jos\u00e9' })
  t.match(session, { user_id, role: 'customer', epoch: 0 })
  people.makeOperator(user_id)
  t.strictSame(await sessions.login('Jose\u0301', PASSWORD), { user_id, role: 'operator', epoch: 0 })
})

t.test('an unknown name and a wrong password are told apart by nothing, the work included', async (t) => {
  const { sessions, passwords, accounts, newcomer } = openUserService()
  const [{ user }, { user: erased }] = [await newcomer(), await newcomer()]
  await accounts.erase('me', PASSWORD, erased)
  for (const name of [user.nick_name, erased.nick_name, 'nobody-has-it']) {
    const before = passwords.worked
    await isRefused(t, sessions.login(name, name === user.nick_name ? 'wrong' : PASSWORD), 'wrong_credentials')
    t.equal(passwords.worked - before, 1, name)
  }
})

t.test('a session goes on in the role that the tables know', async (t) => {
  const { sessions, people, newcomer } = openUserService()
  const { user, session } = await newcomer()
  const same = { user_id: user.user_id, role: 'customer', epoch: 0 } as const
  t.strictSame(await sessions.renew(session), same)
  people.makeOperator(user.user_id)
  t.strictSame(await sessions.renew(session), { ...same, role: 'operator' })
})

t.test('a session of an older epoch does not go on, nor one of a user who was erased; nobody need have heard of a mark', async (t) => {
  const { sessions, people, newcomer } = openUserService()
  const [{ session: changed, user }, { session: erased, user: gone }] = [await newcomer(), await newcomer()]
  const { password: old } = (await people.ofUser(user.user_id))!
  await people.replace(user.user_id, { old, new: 'x' }, user)
  await people.erase(gone.user_id, gone)
  for (const session of [changed, erased]) await isRefused(t, sessions.renew(session), 'token_revoked')
  t.match(await sessions.renew({ ...changed, epoch: 1 }), { epoch: 1 })
})

t.test('while the tables cannot be asked a session goes on as it is, if all marks are known, else not', async (t) => {
  const { sessions, people, revocations, newcomer } = openUserService()
  const session: Session = { ...(await newcomer()).session, role: 'operator' }
  people.cut()
  t.strictSame(await sessions.renew(session), session)
  revocations.cut()
  await t.rejects(sessions.renew(session), AWAY)
  revocations.heal()
  t.strictSame(await sessions.renew(session), session)
})

t.test('a new password ends every session begun before, and no other user\'s', async (t) => {
  const { sessions, revocations, newcomer } = openUserService()
  const [{ user, session }, { session: others }] = [await newcomer(), await newcomer()]
  await sessions.changePassword(String(user.user_id), changing, session)
  t.strictSame([session, others].map((one) => revocations.isRevoked(one)), [true, false])
  await isRefused(t, sessions.renew(session), 'token_revoked')
  await isRefused(t, sessions.login(user.nick_name, PASSWORD), 'wrong_credentials')
  const fresh = await sessions.login(user.nick_name, NEW)
  t.equal(fresh.epoch, 1)
  t.equal(revocations.isRevoked(fresh), false)
  t.strictSame(await sessions.renew(fresh), fresh)
})

t.test('a password is changed by its user alone, who gives the present one', async (t) => {
  const { sessions, revocations, accounts, newcomer } = openUserService()
  const [{ user, session }, { session: other }] = [await newcomer(), await newcomer()]
  const theirs = String(user.user_id)
  await isRefused(t, sessions.changePassword(theirs, changing, other), 'user_not_found')
  await isRefused(t, sessions.changePassword(theirs, changing, operator), 'self_only')
  await isRefused(t, sessions.changePassword(String(NOBODY + 1), changing, operator), 'user_not_found')
  await isRefused(t, sessions.changePassword('me', { ...changing, password: 'wrong' }, session), 'wrong_password')
  t.equal(revocations.isRevoked(session), false)
  t.match(await sessions.login(user.nick_name, PASSWORD), { epoch: session.epoch })
  await accounts.erase('me', PASSWORD, user)
  await isRefused(t, sessions.changePassword('me', changing, session), 'user_not_found')
})

t.test('of several who change one password at once one does, and the others learn that it is another one', async (t) => {
  const { sessions, people, newcomer } = openUserService()
  const { user, session } = await newcomer()
  const news = ['the first of them', 'the second of them', 'the third of them']
  const results = await Promise.allSettled(news.map(async (one) => await sessions.changePassword('me', { password: PASSWORD, new_password: one }, session)))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  t.match(results.filter(({ status }) => status === 'rejected'), [1, 2].map(() => ({ reason: { name: 'UserError', code: 'wrong_password' } })))
  t.match(await people.session(user.user_id), { epoch: 1 })
  t.match(await sessions.login(user.nick_name, news[results.findIndex(({ status }) => status === 'fulfilled')]!), { epoch: 1 })
})

t.test('who logs out ends every session of theirs, once, and no other user\'s', async (t) => {
  const { sessions, revocations, newcomer } = openUserService()
  const [{ user, session }, { session: others }] = [await newcomer(), await newcomer()]
  await sessions.logOut(session)
  t.strictSame([session, others].map((one) => revocations.isRevoked(one)), [true, false])
  const fresh = await sessions.login(user.nick_name, PASSWORD)
  t.equal(fresh.epoch, 1)
  await isRefused(t, sessions.logOut(session), 'token_revoked')
  t.strictSame(await sessions.renew(fresh), fresh, 'a token that is over ends nothing that is not')
})

t.test('a new password is held against what is weak, before it is hashed', async (t) => {
  const { sessions, passwords, newcomer } = openUserService()
  const { user, session } = await newcomer()
  const before = passwords.worked
  for (const [weak, detail] of [['Baseball', 'is a common password'], [`${user.nick_name}1`, /besides your own/], ['        ', /one character repeated/]] as const) {
    await t.rejects(sessions.changePassword('me', { password: PASSWORD, new_password: weak }, session), { code: 'weak_password', fault: { member: 'new_password', detail } })
  }
  t.equal(passwords.worked - before, 3, 'only the current one was worked through')
  t.match(session, await sessions.login(user.nick_name, PASSWORD))
})

t.test('a password is the same however it is typed; one that was hashed as typed before is let in, and hashed again', async (t) => {
  const { sessions, people, passwords, newcomer } = openUserService()
  const [composed, decomposed] = ['a caf\u00e9 by the sea', 'a cafe\u0301 by the sea']
  const [{ user }, { user: old }] = [await newcomer({ password: decomposed }), await newcomer()]
  for (const typed of [composed, decomposed]) t.match(await sessions.login(user.nick_name, typed), { user_id: user.user_id })
  const { password: present } = (await people.ofUser(old.user_id))!
  const asTyped = await passwords.hash(decomposed)
  await people.rehash(old.user_id, { old: present, new: asTyped })
  await isRefused(t, sessions.login(old.nick_name, composed), 'wrong_credentials')
  t.match(await sessions.login(old.nick_name, decomposed), { epoch: 0 })
  await eventually('it is hashed again', async () => (await people.ofUser(old.user_id))!.password !== asTyped)
  for (const typed of [composed, decomposed]) t.match(await sessions.login(old.nick_name, typed), { epoch: 0 })
})

t.test('a password that was hashed at another cost is hashed again at a login, which waits for none of it; no session ends', async (t) => {
  const { sessions, people, passwords, newcomer } = openUserService()
  const { user, session } = await newcomer()
  const { password: present } = (await people.ofUser(user.user_id))!
  const before = passwords.hashBefore(PASSWORD)
  await people.rehash(user.user_id, { old: present, new: before })
  const rehash = people.rehash.bind(people)
  let refused = 0
  people.rehash = async () => {
    refused++
    throw new Error('read-only')
  }
  t.match(session, await sessions.login(user.nick_name, PASSWORD))
  await eventually('it could not be stored', () => refused === 1)
  people.rehash = rehash
  t.match(session, await sessions.login(user.nick_name, PASSWORD))
  await eventually('it is stored at the next one', async () => !passwords.needsRehash((await people.ofUser(user.user_id))!.password))
  t.match(session, await sessions.renew(session))
})

t.test('with the tables away nobody logs in and no password is changed, and no session ends', async (t) => {
  const { sessions, people, revocations, newcomer } = openUserService()
  const { user, session } = await newcomer()
  people.cut()
  await t.rejects(sessions.login(user.nick_name, PASSWORD), AWAY)
  await t.rejects(sessions.changePassword('me', changing, session), AWAY)
  await t.rejects(sessions.logOut(session), AWAY)
  t.equal(revocations.isRevoked(session), false)
})
