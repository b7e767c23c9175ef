import { readFileSync } from 'node:fs'
import t from 'tap'
import { catalogue, type LogLine } from '../../src/logs/catalogue.js'
import { faultOf } from '../../src/logs/contract.js'
import { logLine } from '../../src/logs/log-line.js'
import { lineFault } from '../support/log-lines.js'

/** As the process `api` would write it. */
function written (line: LogLine): Record<string, unknown> {
  let found = {}
  const log = (level: string) => (keys: object, msg: string) => { found = { level, time: '2026-11-24T12:00:00.000Z', name: 'api', version: '0.1.0', pid: 1, ...keys, msg } }
  logLine({ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error'), fatal: log('fatal') }, line)
  return found
}

const good = written({ event: 'closing', signal: 'SIGTERM' })

t.test('a line takes its level and its text from the catalogue', async (t) => {
  t.match(good, { event: 'closing', level: 'info', msg: catalogue.closing.text })
  t.match(written({ event: 'collector_down', reason: 'refused' }), { event: 'collector_down', level: 'warn', msg: catalogue.collector_down.text })
})

t.test('a line that breaks the contract is found', async (t) => {
  const { event, signal, ...bare } = good
  t.equal(faultOf(good), null)
  t.equal(faultOf({ ...bare, event }), null, 'an optional key may be missing')
  const table: Array<[line: object, fault: RegExp]> = [
    [{ ...bare, signal }, /^it has no event$/],
    [{ ...good, event: 'batch_boked' }, /^no such event: "batch_boked"$/],
    [{ ...good, event: 'toString' }, /^no such event/],
    [{ ...good, extra: 1 }, /^\/extra: .*\(closing\)$/],
    [{ ...good, signal: '' }, /^\/signal: /],
    [{ ...good, level: 'warn' }, /^\/level: /],
    [{ ...good, msg: 'closing' }, /^\/msg: /],
    [{ ...good, name: 'gateway' }, /^\/name: /],
    [{ ...good, time: 1 }, /^\/time: /],
    [{ ...good, event: 'collector_down' }, /\(collector_down\)$/]
  ]
  for (const [line, fault] of table) t.match(faultOf(line), fault)
})

t.test('what is tolerated: lines that no api or worker wrote, and where a test listens by itself', async (t) => {
  t.strictSame(['not JSON', '{"msg":"x"}', JSON.stringify({ ...good, name: 'other' }), JSON.stringify({ ...good, event: undefined, msg: 'Server listening at http://127.0.0.1:1' })].map(lineFault), [null, null, null, null])
  t.match(lineFault(JSON.stringify({ ...good, event: undefined })), /no event/)
})

t.test('codes are snake_case, and no text stands for two of them', async (t) => {
  for (const code of Object.keys(catalogue)) t.match(code, /^[a-z]+(_[a-z]+)*$/)
  const texts = Object.values(catalogue).map(({ text }) => text)
  t.equal(new Set(texts).size, texts.length)
})

t.test('docs/logs.md lists the catalogue: every code with its level, text and keys, and none besides', async (t) => {
  const rows = [...readFileSync('docs/logs.md', 'utf8').matchAll(/^\| `(\w+)` \| `(debug|info|warn|error|fatal)` \| (.+?) \| (.*?) \|/gm)]
  const listed = rows.map(([, code, level, text, keys]) => [code, level, text, [...keys!.matchAll(/`(\w+)`/g)].map(([, key]) => key).sort()])
  t.strictSame(listed, Object.entries(catalogue).map(([code, { level, text, keys }]) => [code, level, text, Object.keys(keys.properties).sort()]))
})
