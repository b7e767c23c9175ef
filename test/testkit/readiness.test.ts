import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LoggedProcess } from '../../testkit/processes.js'
import { untilReady } from '../../testkit/readiness.js'
import { freshFolder } from '../support/folders.js'

/** A process that gives these answers, one after the other, the last again and again. */
async function answering (t: Test, ...states: string[]): Promise<string> {
  const server = createServer((_request, response) => {
    const state = states.length > 1 ? states.shift() : states[0]
    response.end(JSON.stringify({ status: 'ready', services: { postgres: { state: 'up' }, redis: { state } } }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close().closeAllConnections() })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the word ready is not enough: every service has to be up', async (t) => {
  const log = join(freshFolder(t), 'log')
  const late = await answering(t, 'starting', 'starting', 'up')
  await untilReady([{ name: 'late', address: late, log }], 20_000)
})

t.test('after the limit it is told which process waits for what, with the end of its log', async (t) => {
  const log = join(freshFolder(t), 'log')
  await new LoggedProcess('silent', ['--eval', 'console.log("why it is not")'], {}, log).ended
  const [well, silent] = [await answering(t, 'up'), await answering(t, 'down')]
  await t.rejects(untilReady([{ name: 'well', address: well, log }, { name: 'silent', address: silent, log }], 300),
    { message: /^not ready: silent \(ready, without redis\); the end of its log:\nwhy it is not$/ })
})

t.test('a process that has ended is not waited for', async (t) => {
  const log = join(freshFolder(t), 'log')
  const { ended } = new LoggedProcess('gone', ['--eval', 'console.log("why it ended")'], {}, log)
  await t.rejects(untilReady([{ name: 'gone', address: 'http://127.0.0.1:1', log, ended }], 60_000), { message: /gone \(no answer\).*\nwhy it ended/ })
})
