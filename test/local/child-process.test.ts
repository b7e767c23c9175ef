import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { OwnProcess } from '../../local/child-process.js'
import { signal } from '../../local/processes.js'
import { keepLine } from '../support/personal-data.js'
import { openPlace } from '../support/place.js'

const place = await openPlace(t)

t.test('a process that does not end is killed, and what it printed came in whole lines', async (t) => {
  const texts = new EventEmitter()
  let all = ''
  const own = new OwnProcess('worker', { ...process.env, ...place.env }, (text) => {
    all += text
    t.ok(text.endsWith('\n'))
    if (all.includes('"event":"started"')) texts.emit('started')
  })
  t.teardown(() => own.kill())
  await once(texts, 'started')
  for (const line of all.trimEnd().split('\n')) keepLine(line)
  signal((JSON.parse(all.split('\n')[0]!) as { pid: number }).pid, 'SIGSTOP')
  t.strictSame(await own.stop(50), { code: null, signal: 'SIGKILL' })
})
