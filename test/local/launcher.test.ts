import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { findServices, type FindOptions, type LocalServices } from '../../local/services.js'
import { freshFolder } from '../support/folders.js'
import { bareEnv, find, isListening } from './bare-machine.js'

/** Another launcher in a process of its own, ready. */
async function launch (t: Test, options: Omit<FindOptions, 'say'>) {
  const script = join(import.meta.dirname, 'launcher.js')
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string]
  return { pid: child.pid, found: JSON.parse(line) as LocalServices, kill: async () => { child.kill('SIGKILL'); await once(child, 'exit') } }
}

const serverPid = (stateDir: string) => (JSON.parse(readFileSync(join(stateDir, 'postgres', 'server.json'), 'utf8')) as { pid: number }).pid

t.test('a second launcher on the same folder is refused, and told the pid of the first', async t => {
  const options = { env: bareEnv(t), purpose: 'start' as const, stateDir: join(freshFolder(t), 'state') }
  const first = await launch(t, options)
  await t.rejects(findServices({ ...options, say: () => {} }), { message: `process ${first.pid} is already running on ${options.stateDir}: stop it, or use another folder` })
  t.equal(await isListening(first.found.postgres.url ?? ''), true, 'the first is left alone')

  t.test('a launcher that was killed leaves a Postgres that the next one adopts and stops', async t => {
    const left = serverPid(options.stateDir)
    await first.kill()
    const next = await find(t, options)
    t.equal(serverPid(options.stateDir), left, 'the same process')
    t.equal(next.postgres.url, first.found.postgres.url)
    t.match(next.postgres.how, 'still running from an earlier start')
    await next.stop()
    t.equal(await isListening(next.postgres.url ?? ''), false)
  })
})

t.test('what a killed test run left behind is ended by the next one', async t => {
  const env = bareEnv(t)
  const parent = freshFolder(t)
  const killed = await launch(t, { env, purpose: 'test', stateDir: join(parent, 'first') })
  await killed.kill()
  t.equal(await isListening(killed.found.postgres.url ?? ''), true, 'it was left running')
  await find(t, { env, purpose: 'test', stateDir: join(parent, 'second') })
  t.equal(await isListening(killed.found.postgres.url ?? ''), false)
  t.equal(existsSync(join(parent, 'first')), false)
})
