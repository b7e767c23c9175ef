import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BUILD } from '../support/build.js'
import { type FileRun, runFile } from './file-run.js'
import { slowness } from './machine.js'
import { readOptions } from './options.js'
import { schedule } from './schedule.js'
import { readTap } from './tap-results.js'

const { TEST_MARK, ...env } = process.env

/** Runs this text as a test file. */
async function runText (text: string, signal = new AbortController().signal): Promise<FileRun> {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-runner-'))
  const file = join(folder, 'given.test.mjs')
  writeFileSync(file, `import t from ${JSON.stringify(import.meta.resolve('tap'))}\nimport { spawn } from 'node:child_process'\n${text}`)
  return await runFile(file, { env, folder, slowness: 0.1, signal })
}

t.test('what passed, failed and was skipped is counted by the file\'s own tests, with what tap says of a failure', async (t) => {
  const run = await runText(`
    t.test('good', async (t) => { t.ok(1); t.ok(2) })
    t.test('outer', async (t) => { t.test('inner', async (t) => { t.equal(1, 2, 'one is two') }) })
    t.test('absent', { skip: 'no server' }, async () => {})`)
  t.match(run, { passed: 1, failed: 1, skipped: ['absent: no server'] })
  t.match(run.failures.join('\n'), /not ok 1 - one is two\n[^]*fileName/)
})

t.test('a file without a test, one that crashes and one that is cut short have failed', async (t) => {
  const texts = { 'without a test': '', crashed: "setImmediate(() => { throw new Error('planted') }); t.test('x', async () => { await new Promise((resolve) => setTimeout(resolve, 1000)) })", 'cut short': "t.test('x', async () => { process.kill(process.pid, 'SIGKILL') })" }
  for (const [what, text] of Object.entries(texts)) {
    const run = await runText(text)
    t.ok(run.failed > 0, what)
    t.ok(run.failures.length > 0, `${what}: it is told why`)
  }
})

t.test('a file that leaves a process behind has failed, and the process is ended', { skip: process.platform !== 'linux' && 'only Linux tells which process is whose' }, async (t) => {
  const run = await runText(`
    t.test('x', async (t) => {
      const child = spawn('sleep', ['7777'], { detached: true, stdio: 'ignore' })
      child.unref()
      t.comment(child.pid)
    })`)
  t.match(run, { passed: 1, failed: 1, failures: ['it left a process behind: sleep 7777'] })
})

t.test('what runs when the whole run is given up is ended at once', async (t) => {
  const stopping = new AbortController()
  const running = runText("t.test('x', async (t) => { await new Promise((resolve) => setTimeout(resolve, 60_000)) })", stopping.signal)
  stopping.abort()
  t.match(await running, { passed: 0, failures: [/./] })
})

t.test('a test file ends when its runner is gone', async (t: Test) => {
  const child: ChildProcess = spawn(process.execPath, ['--import', join(BUILD, 'test/runner/preload.js'), '--eval', 'setInterval(() => {}, 1000); process.send("on")'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  child.disconnect()
  t.strictSame(await once(child, 'exit'), [1, null])
})

t.test('files and folders are taken as given, and what cannot be understood is refused with the usage', async (t) => {
  t.match(readOptions(['test/orders', 'test/config.test.ts', '--repeat', '3', '--seed', '7', '--order', 'random', '--jobs', '1']), { whole: false, repeat: 3, seed: 7, order: 'random', jobs: 1 })
  t.ok(readOptions(['test/orders'])!.files.every((file) => file.startsWith('test/orders/')))
  t.ok(readOptions([])!.whole)
  for (const [args, why] of [[['test/nowhere'], /no test\/nowhere/], [['README.md'], /no test in/], [['--repeat', '0'], /--repeat/], [['--order', 'odd'], /--order/], [['--unheard'], /unheard/]] as const) {
    t.throws(() => readOptions(args), why)
    t.throws(() => readOptions(args), /npm test -- \[files/)
  }
})

t.test('a seed gives one random order, and what loads the machine runs alone in any', async (t) => {
  const files = [...Array.from({ length: 20 }, (_, index) => `test/never/${index}.test.ts`), 'test/drill/drill.test.ts']
  const order = (seed: number) => schedule(files, { order: 'random', seed })
  t.strictSame(order(1), order(1))
  t.not(order(1).together.join(), order(2).together.join())
  t.strictSame([...order(1).together].sort(), files.slice(0, 20).sort())
  t.strictSame(order(1).alone, ['test/drill/drill.test.ts'])
})

t.test('TAP that says nothing of its end is no success', async (t) => {
  t.match(readTap('TAP version 14\nok 1 - a\n'), { failed: 1 })
  const { passed, failed, failures } = readTap('TAP version 14\nok 1 - a\n1..1\n')
  t.strictSame([passed, failed, failures], [1, 0, []])
  t.match(readTap('TAP version 14\n1..0\n'), { passed: 0, failed: 1 })
})

t.test('no machine counts as faster than the one on which the limits were chosen', async (t) => {
  t.ok(slowness() >= 1)
})
