import t, { type Test } from 'tap'
import { LARGEST_USER_ID } from '../../src/users/user.js'
import { NOBODY, someone } from './contracts/users.js'
import { openUserService, operator, PASSWORD } from './memory/user-service.js'

const isRefused = async (t: Test, asking: Promise<unknown>, code: string) => await t.rejects(asking, { name: 'UserError', code }, code)
const AWAY = { name: 'StoreError', code: 'unavailable' }
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

t.test('names that look the same are the same, on registering and on changing', async (t) => {
  const { accounts } = openUserService()
  const { user_id, nick_name } = await accounts.register(someone({ nick_name: DECOMPOSED }))
  t.equal(nick_name, COMPOSED)
  await isRefused(t, accounts.register(someone({ nick_name: DECOMPOSED })), 'account_taken')
  const other = await accounts.register(someone())
  await isRefused(t, accounts.change('me', { nick_name: DECOMPOSED }, other), 'account_taken')
  await isRefused(t, accounts.register(someone({ cpf: other.cpf })), 'account_taken')
  t.equal((await accounts.change('me', { nick_name: `${DECOMPOSED}x` }, { user_id, role: 'customer' })).nick_name, `${COMPOSED}x`)
})

t.test('a user is found by themself, as `me` or by id, and by operators; for anybody else there is none', async (t) => {
  const { accounts, newcomer } = openUserService()
  const [{ user: ana }, { user: bia }] = [await newcomer(), await newcomer()]
  for (const [named, caller] of [['me', ana], [String(ana.user_id), ana], [String(ana.user_id), operator]] as const) t.strictSame(await accounts.find(named, caller), ana)
  for (const named of [ana.user_id, NOBODY, LARGEST_USER_ID + 1]) {
    await isRefused(t, accounts.find(String(named), bia), 'user_not_found')
    await isRefused(t, accounts.change(String(named), { full_name: 'x' }, bia), 'user_not_found')
    await isRefused(t, accounts.erase(String(named), bia), 'user_not_found')
    await isRefused(t, accounts.ownerOfOrders(String(named), bia), 'user_not_found')
  }
  t.strictSame(await accounts.find('me', ana), ana)
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
  for (const nothing of [{}, { full_name: 'Bia' }, { nick_name: user.nick_name }]) t.strictSame(await accounts.change('me', nothing, user), changed)
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
  await isRefused(t, accounts.list({ limit: 2 }, { user_id: ids[0]!, role: 'customer' }), 'forbidden')
  for (const cursor of ['', 'x', 'dXNlciAw']) await isRefused(t, accounts.list({ limit: 2, cursor }, operator), 'bad_cursor')
})

t.test('erasing forgets a user and ends their sessions; it may be repeated', async (t) => {
  const { accounts, newcomer, revocations } = openUserService()
  const [{ user, session }, { user: other, session: others }] = [await newcomer(), await newcomer()]
  await accounts.erase('me', user)
  t.equal(revocations.isRevoked(session), true)
  t.equal(revocations.isRevoked(others), false)
  await isRefused(t, accounts.find('me', user), 'user_not_found')
  await isRefused(t, accounts.register(someone({ nick_name: user.nick_name })), 'account_taken')
  await accounts.erase(String(user.user_id), operator)
  await accounts.erase(String(other.user_id), operator)
  t.equal(revocations.isRevoked(others), true)
  await isRefused(t, accounts.erase(String(NOBODY), operator), 'user_not_found')
  t.equal(revocations.isRevoked({ user_id: NOBODY, epoch: 0 }), false)
})

t.test('a repeated erasure shares again what could not be shared before', async (t) => {
  const { accounts, newcomer, revocations } = openUserService()
  const { user } = await newcomer()
  const marks: Array<[number, number]> = []
  revocations.mark = async (...mark) => { marks.push(mark) }
  for (const caller of [user, operator]) await accounts.erase(String(user.user_id), caller)
  t.strictSame(marks, [[user.user_id, 1], [user.user_id, 1]])
})

t.test('the orders of an erased user are still listed, those of one who never was are not', async (t) => {
  const { accounts, newcomer, people } = openUserService()
  const { user } = await newcomer()
  await accounts.erase('me', user)
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
  t.strictSame(rest, { user, outbox: [], parked_events: [], order_events: [{ of }, { n: 2 }, { n: 3 }], orders: [{ of }] })
  t.ok(Math.abs(Date.now() - Date.parse(at)) < 5000)
  await accounts.erase('me', user)
  await isRefused(t, accounts.export(user), 'user_not_found')
})

t.test('with the tables away everything says so, and no session ends', async (t) => {
  const { accounts, newcomer, people, revocations } = openUserService()
  const { user, session } = await newcomer()
  people.cut()
  const asked = [accounts.register(someone()), accounts.list({ limit: 1 }, operator), accounts.find('me', user), accounts.change('me', { full_name: 'x' }, user), accounts.erase('me', user), accounts.export(user)]
  t.match(await Promise.allSettled(asked), asked.map(() => ({ status: 'rejected', reason: AWAY })))
  t.equal(revocations.isRevoked(session), false)
})
