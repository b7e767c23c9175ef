import { randomBytes } from 'node:crypto'
import t from 'tap'
import { KeyMissing, Keyring, PUBLISHED_DATA_KEY, Unreadable } from '../../src/secrets/keyring.js'

const keyOf = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const [first, second] = [keyOf('k1'), keyOf('k2')]
const place = { table: 'webhooks', column: 'secrets', row: '7' }

t.test('what is sealed is opened where it was sealed for, and no two are the same', async (t) => {
  const ring = new Keyring(first)
  for (const text of ['', 'whsec_x', 'Café ☕', 'x'.repeat(100_000)]) t.equal(ring.open(ring.seal(text, place), place), text)
  t.not(ring.seal('x', place), ring.seal('x', place))
  t.match(ring.seal('x', place), /^v1\.k1\.[\w-]{39}$/)
})

t.test('moved to another table, column or row it cannot be opened, nor altered by a byte', async (t) => {
  const ring = new Keyring(first)
  const sealed = ring.seal('x', place)
  for (const other of [{ ...place, table: 'users' }, { ...place, column: 'secretss' }, { ...place, row: '8' }, { table: 'webhooks","secrets', column: '', row: '7' }]) t.throws(() => ring.open(sealed, other), Unreadable)
  const bytes = Buffer.from(sealed.split('.')[2]!, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at]! ^= 1
    t.throws(() => ring.open(`v1.k1.${altered.toString('base64url')}`, place), Unreadable)
  }
  for (const bad of [`v2.k1.${sealed.split('.')[2]}`, 'v1.k1.', 'v1.k1.AAAA']) t.throws(() => ring.open(bad, place), Unreadable)
})

t.test('the first key seals, all open; a missing one is named', async (t) => {
  const [old, rotated, alone] = [new Keyring(first), new Keyring(`${second},${first}`), new Keyring(second)]
  const sealed = old.seal('x', place)
  t.equal(rotated.open(sealed, place), 'x')
  t.match(rotated.seal('x', place), /^v1\.k2\./)
  t.throws(() => alone.open(sealed, place), new KeyMissing('k1'))
  t.throws(() => new Keyring(keyOf('k1')).open(sealed, place), new Unreadable('k1'), 'another key of that id')
})

t.test('the key that stands in for one in development is of 32 bytes', async (t) => {
  t.equal(Buffer.from(PUBLISHED_DATA_KEY.split(':')[1]!, 'base64').length, 32)
  t.equal(new Keyring(PUBLISHED_DATA_KEY).open(new Keyring(PUBLISHED_DATA_KEY).seal('x', place), place), 'x')
})
