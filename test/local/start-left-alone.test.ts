import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { openPlace } from '../support/place.js'
import { launch, START } from './launched.js'

const place = await openPlace(t)
const noScript = spawnSync('script', ['--version']).error ? 'no `script` on this machine (bsdutils)' : false
const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ')

t.test('a launcher that is killed takes the api and the worker along', async (t) => {
  const launched = await launch(t, place)
  launched.child.kill('SIGKILL')
  await t.resolves(launched.allGone())
})

t.test('a launcher whose npm was killed stops everything', async (t) => {
  // A shell in the place of npm, which runs a script by a shell.
  const launched = await launch(t, place, ['/bin/sh', '-c', `/bin/sh -c "${quoted(START)}; exit"; exit`], { npm_lifecycle_event: 'start' })
  t.not(launched.launcherPid, launched.child.pid)
  launched.child.kill('SIGKILL')
  await launched.allGone()
  t.equal(existsSync(join(launched.env.COMANDA_STATE_DIR!, 'launcher.json')), false, 'the launcher has stopped, its lock is given back')
})

t.test('on a terminal', { skip: noScript }, async (t) => {
  const launched = await launch(t, place, ['script', '-qfec', quoted(START), '/dev/null'], { LOG_LEVEL: 'info', TERM: 'xterm' })

  t.test('what a person needs is said in its order: what it does, its services, then where everything is and how to log in', async (t) => {
    t.match(launched.text(), new RegExp(['^Starting Comanda[^]*Postgres: ', 'Comanda is ready', `api +${launched.api}`, 'worker +http', 'operator +nick_name "operator", password "'].join('[^]*')))
    t.notMatch(launched.text(), /\{"level"|config|is up/)
  })

  t.test('a request is one short line', async (t) => {
    await (await fetch(`${launched.api}/orders`)).text()
    await t.resolves(eventually('it is shown', () => /\d\d:\d\d:\d\d api {5}GET \/orders 401 [\d.]+ ms/.test(launched.text())))
  })

  t.test('a closed terminal ends everything, and the lock is given back', async (t) => {
    launched.child.kill('SIGKILL') // the terminal: whoever holds its other end is gone
    await launched.allGone()
    t.equal(existsSync(join(launched.env.COMANDA_STATE_DIR!, 'launcher.json')), false)
  })
})
