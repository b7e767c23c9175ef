import t from 'tap'
import { entityTag, matchesIfNoneMatch, preconditionOf, TAG_LIST } from '../../src/http/entity-tags.js'
import { isAhead, isMet } from '../../src/orders/precondition.js'
import { persistedView } from '../../src/orders/view.js'
import { placement } from '../support/events.js'
import { limitOf } from '../support/limits.js'

const event = placement(1)
const accepted = { ...event.order, version: 3 }
const { order: confirmed } = persistedView({ ...event, order: accepted })

t.test('what is only accepted has a tag of its own', async (t) => {
  t.equal(entityTag(accepted), '"3a"')
  t.equal(entityTag(confirmed), '"3"')
})

t.test('If-None-Match compares weakly, whole tags, in lists too', async (t) => {
  for (const header of ['"3"', 'W/"3"', '"3-gzip"', 'W/"3-br"', '"3;gzip"', '"3--gzip"', '"1", "3"', '"1",W/"3" , "x"', '*', ' * ', ',"3",,']) t.ok(matchesIfNoneMatch(header, confirmed), header)
  for (const header of ['"3a"', '"3a-gzip"', '"33"', '"1"', 'W/"1", "2"', '"3 "', '"\\3"', '"3-"', '"3-x"', '"-gzip"']) t.notOk(matchesIfNoneMatch(header, confirmed), header)
  t.ok(matchesIfNoneMatch('"3a"', accepted))
  t.notOk(matchesIfNoneMatch('"3"', accepted), 'the persisted one is another representation')
})

t.test('If-Match compares by version alone, whatever a proxy that compresses made of the tag', async (t) => {
  for (const header of ['"3"', '"3a"', 'W/"3"', '"3-gzip"', 'W/"3a-gzip"', '"3+zstd"', '"1", "3"', '*']) t.strictSame([isMet(preconditionOf(header), confirmed), isMet(preconditionOf(header), accepted)], [true, true], header)
  for (const header of ['W/"1"', '"1"', '"33"', '"3b"', '"a3"', '"03x"', '"3-lz"', '"3gzip"', 'W/"1", "2"']) t.notOk(isMet(preconditionOf(header), confirmed), header)
})

t.test('a client is ahead when one of its tags names a later version', async (t) => {
  for (const header of ['"4"', 'W/"4"', '"4-gzip"', '"1", "4a"', '"2147483647"']) t.ok(isAhead(preconditionOf(header), confirmed), header)
  for (const header of ['"3"', '"1"', 'W/"3"', '*', '"x4"', '"99999999999"']) t.notOk(isAhead(preconditionOf(header), confirmed), header)
})

t.test('the form of the header is RFC 9110\'s', async (t) => {
  const form = new RegExp(TAG_LIST, 'u')
  for (const header of ['*', '"3"', 'W/"3"', '""', '"a b"'.replace(' ', ''), '"1", "2"', '"1","2"', ', "1" ,, "2",', '"é"', '"!#~"']) t.ok(form.test(header), header)
  for (const header of ['', '3', '"3', '3"', 'w/"3"', 'W/3', '"3" "4"', '"a b"', '*, "3"', '"3", *', '"3";', '""""', ',', '"\u0100"']) t.notOk(form.test(header), header)
})

t.test('no header makes the form slow to check', async (t) => {
  const started = performance.now()
  for (const header of [`${'"1" ,'.repeat(200)}x`, `${', '.repeat(500)}x`, `${' '.repeat(999)}x`]) t.notOk(new RegExp(TAG_LIST, 'u').test(header))
  t.ok(performance.now() - started < limitOf(5000))
})
