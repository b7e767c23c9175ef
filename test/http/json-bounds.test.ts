import t from 'tap'
import { beyondBounds } from '../../src/http/json-bounds.js'

const padded = (json: string) => json + ' '.repeat(64 * 1024)
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const values = (count: number) => `[${Array(count).fill('0').join()}]`

t.test('large JSON is too deep from the 33rd level on, counted outside of its texts', async (t) => {
  t.strictSame([beyondBounds(padded(nested(32))), beyondBounds(padded(nested(33)))], [null, 'too_deep'])
  t.equal(beyondBounds(padded('{"a":'.repeat(33))), 'too_deep')
  t.equal(beyondBounds(padded('[[],{}]'.repeat(100))), null, 'one beside the other')
  t.equal(beyondBounds(padded(JSON.stringify(['[{'.repeat(100), '\\', '"[', '\\"'.repeat(50) + '['.repeat(50)]))), null, 'in texts')
  t.equal(beyondBounds(padded(`["\\\\",${nested(33)}]`)), 'too_deep', 'behind a text that ends with a backslash')
})

t.test('small JSON may be as deep as it likes', async (t) => {
  t.equal(beyondBounds(nested(32 * 1024)), null)
})

t.test('no JSON holds more than 32,768 values behind others, counted outside of its texts', async (t) => {
  t.strictSame([beyondBounds(values(32 * 1024 + 1)), beyondBounds(values(32 * 1024 + 2))], [null, 'too_many'])
  t.equal(beyondBounds(`{${Array.from({ length: 40_000 }, (_, index) => `"m${index}":0`).join()}}`), 'too_many')
  t.equal(beyondBounds(JSON.stringify([','.repeat(500_000)])), null, 'in a text')
})
