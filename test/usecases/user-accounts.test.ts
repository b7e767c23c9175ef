import t, { type Test } from 'tap'
import { actionOnUser, actorOf, type Requester } from '../../src/users/actions.js'
import { LARGEST_USER_ID, type User } from '../../src/users/user.js'
import { NOBODY, someone } from './contracts/users.js'
import { openUserService, operator, PASSWORD } from './memory/user-service.js'

const isRefused = async (t: Test, asking: Promise<unknown>, code: string) => await t.rejects(asking, { name: 'UserError', code }, code)
const AWAY = { name: 'StoreError', code: 'unavailable' }
const as = ({ user_id, role }: User): Requester => ({ user_id, role, request_id: 'x' })
const [COMPOSED, DECOMPOSED] = ['Jos\u00e9', 'Jose\u0301']

t.test('who registers is a customer whose password is kept as a hash alone', async (t) => {
  const { accounts, people, passwords } = openUserService()
  const { password, ...person } = someone({ password: PASSWORD })
  const user = await accounts.register({ ...person, password })
  t.match(user, { ...person, role: 'customer' })
  t.notOk('password' in user)
  const { password: hashed } = (await people.ofUser(user.user_id))!
  t.notMatch(hashed, PASSWORD)
  t.equal(await passwords.check(hashed, PASSWORD), true)
})

t.test('who registers with a weak password is told why, and nobody is stored', async (t) => {
  const { accounts } = openUserService()
  await t.rejects(accounts.register(someone({ password: 'PASSWORD1' })), { code: 'weak_password', fault: { member: 'password', detail: 'is a common password' } })
  t.strictSame((await accounts.list({ limit: 9 }, operator)).items, [])
})

t.test('names that look the same are the same, on registering and on changing', async (t) => {
  const { accounts } = openUserService()
  const { user_id, nick_name } = await accounts.register(someone({ nick_name: DECOMPOSED, password: PASSWORD }))
  t.equal(nick_name, COMPOSED)
  await isRefused(t, accounts.register(someone({ nick_name: DECOMPOSED })), 'account_taken')
  const other = await accounts.register(someone({ password: PASSWORD }))
  await isRefused(t, accounts.change('me', { nick_name: DECOMPOSED, password: PASSWORD }, as(other)), 'account_taken')
  await isRefused(t, accounts.register(someone({ cpf: other.cpf })), 'account_taken')
  t.equal((await accounts.change('me', { nick_name: `${DECOMPOSED}x`, password: PASSWORD }, { user_id, role: 'customer', request_id: 'x' })).nick_name, `${COMPOSED}x`)
})

t.test('a user is found by themself, as `me` or by id, and by operators; for anybody else there is none', async (t) => {
  const { accounts, newcomer } = openUserService()
  const [{ user: ana }, { user: bia }] = [await newcomer(), await newcomer()]
  for (const [named, caller] of [['me', ana], [String(ana.user_id), ana], [String(ana.user_id), operator]] as const) t.match(await accounts.find(named, caller), { user_id: ana.user_id, cpf: ana.cpf })
  for (const named of [ana.user_id, NOBODY, LARGEST_USER_ID + 1]) {
    await isRefused(t, accounts.find(String(named), bia), 'user_not_found')
    await isRefused(t, accounts.change(String(named), { full_name: 'x' }, bia), 'user_not_found')
    await isRefused(t, accounts.erase(String(named), PASSWORD, bia), 'user_not_found')
    await isRefused(t, accounts.ownerOfOrders(String(named), bia), 'user_not_found')
  }
  t.match(await accounts.find('me', ana), { cpf: ana.cpf })
})

t.test('an id that no table can hold is looked for in none', async (t) => {
  const { accounts, people } = openUserService()
  people.cut()
  await t.rejects(accounts.find(String(LARGEST_USER_ID), operator), AWAY)
  await isRefused(t, accounts.find(String(LARGEST_USER_ID + 1), operator), 'user_not_found')
})

t.test('a change changes what it names; one that changes nothing answers with the user as is', async (t) => {
  const { accounts, newcomer } = openUserService()
  const { user } = await newcomer()
  const changed = await accounts.change('me', { full_name: 'Bia' }, user)
  t.match(changed, { full_name: 'Bia', nick_name: user.nick_name })
  for (const nothing of [{}, { full_name: 'Bia' }, { nick_name: user.nick_name, password: PASSWORD }]) t.strictSame(await accounts.change('me', nothing, user), changed)
  t.match(await accounts.change(String(user.user_id), { full_name: 'Ana' }, operator), { full_name: 'Ana' })
  await isRefused(t, accounts.change(String(NOBODY), { full_name: 'Ana' }, operator), 'user_not_found')
})

t.test('operators list users, page by page each once', async (t) => {
  const { accounts, newcomer } = openUserService()
  const ids: number[] = []
  for (let count = 0; count < 5; count++) ids.push((await newcomer()).user.user_id)
  const seen: number[][] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Awaited<ReturnType<typeof accounts.list>> = await accounts.list({ limit: 2, cursor }, operator)
    seen.push(page.items.map(({ user_id: id }) => id))
    cursor = page.next_cursor
  }
  t.strictSame(seen, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
  await isRefused(t, accounts.list({ limit: 2 }, { user_id: ids[0]!, role: 'customer', request_id: 'x' }), 'forbidden')
  for (const cursor of ['', 'x', 'dXNlciAw']) await isRefused(t, accounts.list({ limit: 2, cursor }, operator), 'bad_cursor')
})

t.test('erasing forgets a user and ends their sessions; it may be repeated', async (t) => {
  const { accounts, newcomer, revocations } = openUserService()
  const [{ user, session }, { user: other, session: others }] = [await newcomer(), await newcomer()]
  await accounts.erase('me', PASSWORD, user)
  t.equal(revocations.isRevoked(session), true)
  t.equal(revocations.isRevoked(others), false)
  await isRefused(t, accounts.find('me', user), 'user_not_found')
  await isRefused(t, accounts.register(someone({ nick_name: user.nick_name })), 'account_taken')
  await accounts.erase(String(user.user_id), PASSWORD, operator)
  await accounts.erase(String(other.user_id), PASSWORD, operator)
  t.equal(revocations.isRevoked(others), true)
  await isRefused(t, accounts.erase(String(NOBODY), PASSWORD, operator), 'user_not_found')
  t.equal(revocations.isRevoked({ user_id: NOBODY, epoch: 0 }), false)
})

t.test('a repeated erasure shares again what could not be shared before', async (t) => {
  const { accounts, newcomer, revocations } = openUserService()
  const { user } = await newcomer()
  const marks: Array<[number, number]> = []
  revocations.mark = async (...mark) => { marks.push(mark) }
  for (const caller of [user, operator]) await accounts.erase(String(user.user_id), PASSWORD, caller)
  t.strictSame(marks, [[user.user_id, 1], [user.user_id, 1]])
})

t.test('the orders of an erased user are still listed, those of one who never was are not', async (t) => {
  const { accounts, newcomer, people } = openUserService()
  const { user } = await newcomer()
  await accounts.erase('me', PASSWORD, user)
  t.equal(await accounts.ownerOfOrders(String(user.user_id), operator), user.user_id)
  await isRefused(t, accounts.ownerOfOrders(String(NOBODY), operator), 'user_not_found')
  people.cut()
  t.equal(await accounts.ownerOfOrders('me', user), user.user_id, 'their own are known to be theirs')
})

t.test('an export is one JSON document of all there is', async (t) => {
  const { accounts, newcomer } = openUserService()
  const { user } = await newcomer()
  let json = ''
  for await (const piece of await accounts.export(user)) json += piece
  const { exported_at: at, ...rest } = JSON.parse(json) as { exported_at: string }
  const of = user.user_id
  const { request_id: by, ...shown } = user
  t.strictSame(rest, { user: shown, outbox: [], parked_events: [], order_events: [{ of }, { n: 2 }, { n: 3 }], orders: [{ of }], webhooks: [] })
  t.ok(Math.abs(Date.now() - Date.parse(at)) < 5000)
  await accounts.erase('me', PASSWORD, user)
  await isRefused(t, accounts.export(user), 'user_not_found')
})

t.test('what an operator sees and does of others is recorded, what a user does themself only where it ends something', async (t) => {
  const { accounts, newcomer, actions } = openUserService()
  const [{ user: ana }, { user: bia }] = [await newcomer(), await newcomer()]
  await accounts.find('me', ana)
  await accounts.find('me', { ...ana, role: 'operator' })
  await accounts.find(String(ana.user_id), operator)
  await accounts.list({ limit: 1 }, operator)
  await accounts.list({ limit: 9 }, operator)
  await accounts.change(String(bia.user_id), { full_name: 'Bia' }, operator)
  await accounts.change(String(bia.user_id), { full_name: 'Bia' }, operator)
  await accounts.erase('me', PASSWORD, bia)
  const by = actorOf(operator)
  t.strictSame(actions.recorded, [
    actionOnUser(by, 'user.read', ana.user_id),
    { ...actionOnUser(by, 'users.listed', 0), target_id: `${ana.user_id}-${ana.user_id}` },
    { ...actionOnUser(by, 'users.listed', 0), target_id: `${ana.user_id}-${bia.user_id}` },
    actionOnUser(by, 'user.changed', bia.user_id),
    actionOnUser(by, 'user.read', bia.user_id),
    actionOnUser(actorOf(bia), 'user.erased', bia.user_id)
  ], 'a change that changes nothing shows the user')
  t.strictSame(by, { actor: 'operator:1000', role: 'operator', way: 'api', request_id: 'by-operator' })
})

t.test('what cannot be recorded is not shown', async (t) => {
  const { accounts, newcomer, actions } = openUserService()
  const { user } = await newcomer()
  actions.cut()
  const asked = [accounts.find(String(user.user_id), operator), accounts.list({ limit: 1 }, operator), accounts.change(String(user.user_id), {}, operator)]
  t.match(await Promise.allSettled<unknown>(asked), asked.map(() => ({ status: 'rejected', reason: AWAY })))
  t.match(await accounts.find('me', user), { user_id: user.user_id }, 'what is their own is')
})

t.test('users who erase themselves or change their name, CPF or e-mail address give their password; operators do not', async (t) => {
  const { accounts, newcomer, revocations } = openUserService()
  const { user, session } = await newcomer()
  const other = someone()
  for (const password of [undefined, 'wrong', '']) {
    for (const change of [{ nick_name: other.nick_name }, { nick_name: user.nick_name }, { cpf: other.cpf }, { email: other.email }, { email: user.email, full_name: 'Bia' }]) {
      await isRefused(t, accounts.change('me', { ...change, password }, user), 'wrong_password')
      await isRefused(t, accounts.change(String(user.user_id), { ...change, password }, user), 'wrong_password')
    }
    await isRefused(t, accounts.erase('me', password, user), 'wrong_password')
  }
  await isRefused(t, accounts.change('me', { full_name: 'Bia', password: 'wrong' }, user), 'wrong_password')
  t.match(await accounts.find('me', user), { nick_name: user.nick_name, cpf: user.cpf, email: user.email, full_name: user.full_name })
  t.equal(revocations.isRevoked(session), false)
  t.match(await accounts.change('me', { full_name: 'Bia', phone_number: other.phone_number }, user), { full_name: 'Bia' })
  t.match(await accounts.change('me', { nick_name: other.nick_name, cpf: other.cpf, email: other.email, password: PASSWORD }, user), { nick_name: other.nick_name, cpf: other.cpf, email: other.email })
  t.match(await accounts.change(String(user.user_id), { email: user.email }, operator), { email: user.email })
})

t.test('with the tables away everything says so, and no session ends', async (t) => {
  const { accounts, newcomer, people, revocations } = openUserService()
  const { user, session } = await newcomer()
  people.cut()
  const asked = [accounts.register(someone()), accounts.list({ limit: 1 }, operator), accounts.find('me', user), accounts.change('me', { full_name: 'x' }, user), accounts.erase('me', PASSWORD, user), accounts.export(user)]
  t.match(await Promise.allSettled(asked), asked.map(() => ({ status: 'rejected', reason: AWAY })))
  t.equal(revocations.isRevoked(session), false)
})
