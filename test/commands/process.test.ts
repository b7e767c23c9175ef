import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BUILD } from '../support/build.js'
import { openPlace } from '../support/place.js'
import { runComanda } from '../support/processes.js'

const place = await openPlace(t)

/** As a launcher starts it: with a channel, in a session of its own. */
function forkComanda (t: Test, name: 'api' | 'worker', env: Record<string, string> = {}): ChildProcess {
  const child = fork(join(BUILD, 'src/cli.js'), [name], { env: { ...process.env, ...place.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** All that it printed, once its end or `text` has come. */
async function printed (child: ChildProcess, text?: string): Promise<string> {
  let all = ''
  for await (const piece of child.stdout!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    all += String(piece)
    if (text !== undefined && all.includes(text)) break
  }
  return all
}

for (const name of ['api', 'worker'] as const) {
  t.test(`a native crash ends the ${name} at once, by its signal`, async (t) => {
    const own = runComanda(t, [name], place.env)
    await own.said('started')
    own.child.kill('SIGSEGV')
    await own.exited
    t.equal(own.child.signalCode, 'SIGSEGV')
  })

  t.test(`the ${name} closes in order when whoever started it is gone`, async (t) => {
    const child = forkComanda(t, name)
    await printed(child, '"event":"started"')
    const [rest, [code]] = await Promise.all([printed(child), once(child, 'exit'), child.disconnect()])
    t.equal(code, 0)
    t.match(rest, /"event":"closing".*"event":"closed"/s)
    t.notMatch(rest, '"level":"error"')
  })
}

t.test('one that was started and left alone before it was loaded closes too', async (t) => {
  const child = forkComanda(t, 'worker')
  child.disconnect()
  const [all, [code]] = await Promise.all([printed(child), once(child, 'exit')])
  t.equal(code, 0)
  t.match(all, '"event":"closed"')
})

t.test('a dead standard output and error neither crash it nor keep it from closing in order', async (t) => {
  const child = forkComanda(t, 'api', { NODE_DEBUG: 'net' }) // Node then writes to standard error whatever happens to a socket
  child.stderr!.resume()
  await printed(child, '"event":"started"')
  child.stdout!.destroy()
  child.stderr!.destroy()
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [0, null])
})
