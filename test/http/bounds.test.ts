import { Type } from '@sinclair/typebox'
import t from 'tap'
import { boundOf, MOST_MEMBERS } from '../../src/http/bounds.js'

const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 0]))
const Closed = Type.Object({ tags: Type.Array(Type.String(), { maxItems: 3 }) }, { additionalProperties: false })

t.test('an object that takes only what it knows, and every list, is bounded wherever it stands', async (t) => {
  const bound = boundOf(Type.Array(Closed, { maxItems: 2 }))!
  t.equal(bound([{ tags: ['a'] }, members(MOST_MEMBERS)]), null)
  t.match(bound([0, 0, 0]), { instancePath: '', keyword: 'maxItems' })
  t.match(bound([{}, members(MOST_MEMBERS + 1)]), { instancePath: '/1', keyword: 'maxProperties' })
  t.match(bound([{ tags: [1, 2, 3, 4] }]), { instancePath: '/0/tags', keyword: 'maxItems' })
  for (const other of [null, 7, 'x', {}]) t.equal(bound(other), null)
})

t.test('one of several kinds is bounded as the kind that it is', async (t) => {
  const bound = boundOf(Type.Union([Closed, Type.Null()]))!
  t.equal(bound(null), null)
  t.match(bound(members(MOST_MEMBERS + 1)), { keyword: 'maxProperties' })
})

t.test('a list without a bound is refused when the api is built, an open object is left alone', async (t) => {
  t.throws(() => boundOf(Type.Object({ ids: Type.Array(Type.String()) })), /needs maxItems/)
  t.equal(boundOf(Type.Object({ a: Type.String() })), null)
})
