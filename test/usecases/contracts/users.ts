import type { Test } from 'tap'
import type { CredentialsPort, UsersPort } from '../../../src/usecases/ports.js'
import { type Action, actionOnUser, actorOf, type Requester } from '../../../src/users/actions.js'
import type { Registration, User } from '../../../src/users/user.js'
import { newCpf } from '../../../testkit/cpf.js'

export interface OpenedUsers {
  users: UsersPort
  credentials: CredentialsPort
  /** What was done, oldest first. */
  recorded (): Promise<Action[]>
  /** Makes an operator of this user. */
  makeOperator (userId: number): Promise<void> | void
  /** It cannot be asked from now on. */
  cut (): void
}
type Open = (t: Test) => Promise<OpenedUsers>

/** No user ever had it. */
export const NOBODY = 2147483647
const TAKEN = { name: 'UserError', code: 'account_taken' }
/** As a settled promise. */
export const AWAY = { status: 'rejected', reason: { name: 'StoreError', code: 'unavailable' } }

/** No user of the contract's. */
export const operator: Requester = { user_id: NOBODY - 1, role: 'operator', request_id: 'by-operator' }
export const themself = (user_id: number): Requester => ({ user_id, role: 'customer', request_id: 'by-user' })

let names = 0
export function someone (given: Partial<Registration> = {}): Registration {
  const nick_name = `user-${++names}-${process.pid}`
  return { nick_name, password: `hash of ${nick_name}`, full_name: 'Ana', cpf: newCpf(), email: `${nick_name}@example.com`, phone_number: '+55 11 91234-5678', ...given }
}

export function usersContract (t: Test, open: Open): void {
  keepsUsers(t, open)
  erases(t, open)
  recordsAndProtects(t, open)

  t.test('where it cannot be asked it throws that', async (t) => {
    const { users, cut } = await open(t)
    cut()
    const asked = [users.insert(someone()), users.find(1), users.list({ after: 0, limit: 1 }), users.update(1, { full_name: 'Bia' }, operator), users.erase(1, operator), users.promote(1, operator), users.existed(1)]
    t.match(await Promise.allSettled(asked), asked.map(() => AWAY))
  })
}

function keepsUsers (t: Test, open: Open): void {
  t.test('a new user is a customer, and is shown without the password', async (t) => {
    const { users } = await open(t)
    const { password, ...person } = someone()
    const user = await users.insert({ ...person, password })
    const { user_id, created_at, updated_at, ...rest } = user
    t.strictSame(rest, { ...person, role: 'customer' })
    t.ok(Number.isSafeInteger(user_id) && updated_at === created_at && new Date(created_at).toISOString() === created_at)
    t.strictSame(await users.find(user_id), user)
    t.equal(await users.existed(user_id), true)
    t.strictSame([await users.find(NOBODY), await users.existed(NOBODY)], [null, false])
  })

  t.test('a name or a CPF that is taken is refused, and nothing is changed', async (t) => {
    const { users } = await open(t)
    const [one, other] = [await users.insert(someone()), await users.insert(someone())]
    for (const taken of [{ nick_name: one.nick_name }, { cpf: one.cpf }]) {
      await t.rejects(users.insert(someone(taken)), TAKEN)
      await t.rejects(users.update(other.user_id, { ...taken, full_name: 'Bia' }, operator), TAKEN)
    }
    t.strictSame([await users.find(one.user_id), await users.find(other.user_id)], [one, other])
  })

  t.test('of several who want one name or one CPF at once one gets it, by whatever way', async (t) => {
    const { users } = await open(t)
    for (const wanted of [{ nick_name: someone().nick_name }, { cpf: newCpf() }]) {
      const [one, other] = [await users.insert(someone()), await users.insert(someone())]
      const asked = [users.insert(someone(wanted)), users.update(one.user_id, wanted, operator), users.insert(someone(wanted)), users.update(other.user_id, { ...wanted, full_name: 'Bia' }, operator)]
      const results = await Promise.allSettled(asked)
      t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      t.match(results.filter(({ status }) => status === 'rejected'), [1, 2, 3].map(() => ({ reason: TAKEN })))
    }
  })

  t.test('a change changes what it names, and is null where it changes nothing', async (t) => {
    const { users } = await open(t)
    const user = await users.insert(someone())
    const changed = await users.update(user.user_id, { full_name: 'Bia', email: 'bia@example.com' }, operator)
    t.strictSame({ ...changed, updated_at: '' }, { ...user, full_name: 'Bia', email: 'bia@example.com', updated_at: '' })
    t.strictSame(await users.find(user.user_id), changed)
    for (const nothing of [{}, { full_name: 'Bia', nick_name: user.nick_name, cpf: user.cpf }]) t.equal(await users.update(user.user_id, nothing, operator), null)
    t.equal(await users.update(NOBODY, { full_name: 'Bia' }, operator), null)
    t.strictSame(await users.find(user.user_id), changed)
  })

  t.test('a name that was changed is free again', async (t) => {
    const { users } = await open(t)
    const { user_id: id, nick_name } = await users.insert(someone())
    await users.update(id, { nick_name: someone().nick_name }, operator)
    t.equal((await users.insert(someone({ nick_name }))).nick_name, nick_name)
  })

  t.test('users are listed by their ids, those behind one', async (t) => {
    const { users } = await open(t)
    const all: User[] = []
    for (let count = 0; count < 4; count++) all.push(await users.insert(someone()))
    const [first, second, third, fourth] = all.map(({ user_id: id }) => id) as [number, number, number, number]
    await users.erase(third, operator)
    const listed = async (after: number, limit: number) => (await users.list({ after, limit })).map(({ user_id: id }) => id)
    t.strictSame(await users.list({ after: first - 1, limit: 1 }), [all[0]])
    t.strictSame(await listed(first, 9), [second, fourth], 'an erased one is none')
    t.strictSame(await listed(fourth, 9), [])
  })
}

function erases (t: Test, open: Open): void {
  t.test('an erased user is none, and existed; erasing begins an epoch, once', async (t) => {
    const { users, credentials } = await open(t)
    const { user_id: id } = await users.insert(someone())
    const before = (await credentials.session(id))!.epoch
    t.strictSame([await users.erase(id, operator), await users.erase(id, operator)], [before + 1, before + 1])
    t.strictSame([await users.find(id), await users.update(id, { full_name: 'Bia' }, operator), await users.existed(id)], [null, null, true])
    t.equal(await users.erase(NOBODY, operator), null)
  })

  t.test('an erased name is never free again; the CPF is', async (t) => {
    const { users } = await open(t)
    const [{ user_id: id, nick_name, cpf }, other] = [await users.insert(someone()), await users.insert(someone())]
    await users.erase(id, operator)
    await t.rejects(users.insert(someone({ nick_name })), TAKEN)
    await t.rejects(users.update(other.user_id, { nick_name }, operator), TAKEN)
    t.equal((await users.insert(someone({ cpf }))).cpf, cpf)
  })
}

function recordsAndProtects (t: Test, open: Open): void {
  t.test('each change is recorded as an action of who made it; what changes nothing is none', async (t) => {
    const { users, recorded } = await open(t)
    const [{ user_id: id }, other] = [await users.insert(someone()), await users.insert(someone())]
    const by = themself(id)
    await users.update(id, { full_name: 'Bia' }, by)
    await users.update(id, { full_name: 'Bia' }, by)
    await users.update(id, { nick_name: other.nick_name }, by).catch(() => {})
    await users.update(NOBODY, { full_name: 'Bia' }, operator)
    await users.erase(id, operator)
    await users.erase(id, operator)
    await users.erase(NOBODY, operator)
    t.strictSame(await recorded(), [actionOnUser(actorOf(by), 'user.changed', id), actionOnUser(actorOf(operator), 'user.erased', id)])
  })

  t.test('who is promoted is an operator from a new epoch on, once, with an action; who is none is not', async (t) => {
    const { users, credentials, recorded } = await open(t)
    const { user_id: id } = await users.insert(someone())
    t.strictSame(await users.promote(id, operator), { epoch: 1, changed: true })
    t.strictSame(await users.promote(id, operator), { epoch: 1, changed: false })
    t.strictSame(await credentials.session(id), { user_id: id, role: 'operator', epoch: 1 })
    t.equal(await users.promote(NOBODY, operator), null)
    t.strictSame(await recorded(), [actionOnUser(actorOf(operator), 'user.promoted', id)])
  })

  t.test('a list by name holds the user of exactly this name', async (t) => {
    const { users } = await open(t)
    const [user] = [await users.insert(someone()), await users.insert(someone())]
    t.strictSame(await users.list({ after: 0, limit: 10, nick_name: user!.nick_name }), [user])
    t.strictSame(await users.list({ after: 0, limit: 10, nick_name: user!.nick_name.slice(0, -1) }), [])
    t.strictSame(await users.list({ after: user!.user_id, limit: 10, nick_name: user!.nick_name }), [])
  })

  t.test('an operator neither changes nor erases another one, and does so with themself', async (t) => {
    const { users, makeOperator, recorded } = await open(t)
    const user = await users.insert(someone())
    await makeOperator(user.user_id)
    await t.rejects(users.update(user.user_id, { full_name: 'Bia' }, operator), { name: 'UserError', code: 'operator_account' })
    await t.rejects(users.erase(user.user_id, operator), { name: 'UserError', code: 'operator_account' })
    t.strictSame(await users.find(user.user_id), { ...user, role: 'operator' })
    t.strictSame(await recorded(), [])
    const by: Requester = { user_id: user.user_id, role: 'operator', request_id: 'own' }
    t.match(await users.update(user.user_id, { full_name: 'Bia' }, by), { full_name: 'Bia' })
    t.equal(await users.erase(user.user_id, by), 1)
    t.equal(await users.erase(user.user_id, operator), 1, 'erased, there is nothing left to protect')
    t.match(await recorded(), [{ actor: `operator:${user.user_id}`, action: 'user.changed' }, { action: 'user.erased' }])
  })
}
