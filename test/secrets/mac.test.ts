import t from 'tap'
import { Mac, macFor } from '../../src/secrets/mac.js'

const [current, previous, foreign] = ['c', 'p', 'f'].map((letter) => letter.repeat(32)) as [string, string, string]
const mac = new Mac([current, previous], 'order message')

t.test('a code is 43 characters of base64url, the same for a text and its bytes', async (t) => {
  t.match(mac.sign('Café'), /^[\w-]{43}$/)
  t.equal(mac.sign('Café'), mac.sign(Buffer.from('Café')))
  for (const text of ['', 'x'.repeat(1000), '☕\u0000']) t.equal(mac.sign(text), mac.sign(Buffer.from(text)))
})

t.test('the first key signs, and both verify', async (t) => {
  t.equal(mac.sign('x'), new Mac([current], 'order message').sign('x'))
  for (const key of [current, previous]) t.equal(mac.verifies('x', new Mac([key], 'order message').sign('x')), true)
  t.equal(mac.verifies('x', new Mac([foreign], 'order message').sign('x')), false)
})

t.test('a code proves nothing for other bytes or another purpose', async (t) => {
  const code = mac.sign('x')
  t.equal(mac.verifies('y', code), false)
  t.equal(new Mac([current], 'order view').verifies('x', code), false)
  for (const other of ['', code.slice(1), `${code}=`, `${code} `, code.toUpperCase()]) t.equal(mac.verifies('x', other), false, other)
})

t.test('where no key is given there is nothing to sign with', async (t) => {
  t.equal(macFor([], 'order message'), null)
  t.equal(macFor([current], 'order message')?.sign('x'), mac.sign('x'))
})
