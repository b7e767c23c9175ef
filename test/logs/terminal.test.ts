import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { createLogger } from '../../src/logs/logger.js'
import { disarmed, escapeSteering } from '../../src/logs/terminal.js'

const STEERING = [0, 7, 8, 9, 13, 27, 31, 0x7f, 0x80, 0x9b, 0x9f, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069]
const evil = String.fromCharCode(...STEERING)
const codes = STEERING.map((code) => `\\u${code.toString(16).padStart(4, '0')}`).join('')

t.test('whatever a terminal interprets is shown by its number, and nothing else is changed', async (t) => {
  t.equal(escapeSteering(`a${evil}b`), `a${codes}b`)
  for (const text of ['Café ☕ 🌺\n', '日本語', '\u200d\u00a0', '\\u009b']) t.equal(escapeSteering(text), text)
})

t.test('no log line holds any of it raw, and each is the JSON of what was logged', async (t) => {
  const written: string[] = []
  const config = loadConfig('api', { DATABASE_URL: 'postgres://x/y' }, () => 'x'.repeat(32))
  const log = createLogger(config, { write: (line: string) => { written.push(line) } })
  log.info({ reason: evil, [evil]: 1, err: new Error(evil) }, evil)
  log.child({ service: evil }).warn(evil)
  for (const line of written) t.equal(escapeSteering(line), line)
  t.match(JSON.parse(written[0]!), { reason: evil, [evil]: 1, msg: evil, err: { message: evil } })
})

t.test('of a line whose texts are printed raw, a reader finds escapes in the place of what a terminal interprets', async (t) => {
  const given = { a: `\\${evil}\\\\`, b: ['"\n\t/', '\\u001b', evil] }
  const read = JSON.parse(disarmed(JSON.stringify(given))) as typeof given
  for (const text of [read.a, ...read.b]) t.equal(escapeSteering(text.replaceAll('\t', ' ')), text.replaceAll('\t', ' '))
  t.strictSame(read.b.slice(0, 2), given.b.slice(0, 2), 'line feeds, tabs and what only looks like an escape stay')
})
