import t from 'tap'
import { isTooDeep } from '../../src/http/json-depth.js'

const padded = (json: string) => json + ' '.repeat(64 * 1024)
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

t.test('large JSON is too deep from the 33rd level on, counted outside of its texts', async (t) => {
  t.strictSame([isTooDeep(padded(nested(32))), isTooDeep(padded(nested(33)))], [false, true])
  t.ok(isTooDeep(padded('{"a":'.repeat(33))))
  t.notOk(isTooDeep(padded('[[],{}]'.repeat(100))), 'one beside the other')
  t.notOk(isTooDeep(padded(JSON.stringify(['[{'.repeat(100), '\\', '"[', '\\"'.repeat(50) + '['.repeat(50)]))), 'in texts')
  t.ok(isTooDeep(padded(`["\\\\",${nested(33)}]`)), 'behind a text that ends with a backslash')
})

t.test('small JSON may be as deep as it likes', async (t) => {
  t.notOk(isTooDeep(nested(32 * 1024)))
})
