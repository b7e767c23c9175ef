import { spawnSync } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import { BatchingDestination } from '../../src/logs/batching-destination.js'

/** A logger, and what it has written so far, write by write. */
function logger () {
  const writes: string[] = []
  const log = pino({ base: null, timestamp: false }, new BatchingDestination({ write: (text) => { writes.push(text) } }))
  return { log, writes, messages: () => writes.map((text) => text.trimEnd().split('\n').map((line) => (JSON.parse(line) as { msg: string }).msg)) }
}

t.test('lines of one turn go out in one write, in their order, and those of the next in another', async (t) => {
  const { log, messages } = logger()
  log.info('first')
  log.info('second')
  t.same(messages(), [], 'nothing is written before the turn is over')
  await nextTurn()
  log.info('third')
  await nextTurn()
  t.same(messages(), [['first', 'second'], ['third']])
})

for (const level of ['warn', 'error', 'fatal'] as const) {
  t.test(`a line of level ${level} is written when the call returns, with those before it`, async (t) => {
    const { log, messages } = logger()
    log.info('before')
    log[level]('what happened')
    t.same(messages(), [['before', 'what happened']])
    log.info('after')
    t.equal(messages().length, 1, 'what follows waits for the end of the turn again')
    await nextTurn()
    t.same(messages(), [['before', 'what happened'], ['after']])
  })
}

t.test('no write is longer than what a pipe takes in one piece, and none cuts a line', async (t) => {
  const { log, writes } = logger()
  for (let line = 0; line < 1000; line++) log.info({ line }, 'ação')
  log.info({ long: 'x'.repeat(10_000) }, 'long')
  await nextTurn()
  const [long, ...others] = writes.toReversed()
  t.ok(others.length > 1 && others.every((text) => Buffer.byteLength(text) <= 4096 && text.endsWith('\n')))
  t.match(long, /^\{[^\n]*"msg":"long"\}\n$/, 'a line that is longer goes alone')
  t.same(writes.join('').trimEnd().split('\n').slice(0, 1000).map((line) => (JSON.parse(line) as { line: number }).line), Array.from({ length: 1000 }, (_, line) => line))
})

/** What a process of its own writes to standard output before it ends like this, in the turn in which it logged. */
function leftBy (t: Test, end: string, through = ''): string {
  const script = `
    import { loadConfig } from '${new URL('../../src/config.js', import.meta.url).href}'
    import { createLogger } from '${new URL('../../src/logs/logger.js', import.meta.url).href}'
    const log = createLogger(loadConfig('worker', { DATABASE_URL: 'postgres://nowhere/none' }))
    log.info('logged')
    ${end}`
  const { stdout, status, stderr } = spawnSync('/bin/sh', ['-c', `"$0" "$@" ${through}`, process.execPath, '--input-type=module', '--eval', script], { encoding: 'utf8' })
  t.comment(`exit code ${status}`, stderr)
  return stdout
}

t.test('lines of the last turn are written when the process exits or crashes', async (t) => {
  t.match(leftBy(t, 'process.exit(3)'), /"msg":"logged"/)
  t.match(leftBy(t, "throw new Error('nobody catches it')"), /"msg":"logged"/)
})

t.test('a pipe whose reader is slow gets every line of a process that exits, to the last', async (t) => {
  const lines = leftBy(t, "for (let line = 0; line < 2000; line++) log.info({ line }, 'x'.repeat(200))\nlog.info('the last')\nprocess.exit(3)", '| (sleep 0.05; cat)').trimEnd().split('\n')
  t.equal(lines.length, 2002)
  t.match(lines.at(-1), /"msg":"the last"/)
})

t.test('a logger keeps no process alive', async (t) => {
  t.match(leftBy(t, ''), /"msg":"logged"/)
})
