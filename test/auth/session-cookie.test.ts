import t from 'tap'
import { noSessionCookie, sessionCookie, tokenInCookie } from '../../src/auth/session-cookie.js'

t.test('the token comes back as it was given, among other cookies', async (t) => {
  const [pair] = sessionCookie('aaa.bbb-b.c_c', false).split(';')
  t.equal(tokenInCookie(`other=1; ${pair}; theme=dark`), 'aaa.bbb-b.c_c')
})

t.test('without the cookie, or without any, there is no token', async (t) => {
  for (const header of [undefined, '', 'other=1', 'xcomanda_session=1', 'comanda_session']) t.equal(tokenInCookie(header), null, String(header))
})

t.test('no script reads it, no other site sends it, and by https it is for https alone', async (t) => {
  t.equal(sessionCookie('a.b.c', false), 'comanda_session=a.b.c; Path=/; HttpOnly; SameSite=Strict')
  t.equal(sessionCookie('a.b.c', true), 'comanda_session=a.b.c; Path=/; HttpOnly; Secure; SameSite=Strict')
  t.equal(noSessionCookie(true), 'comanda_session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict')
})
