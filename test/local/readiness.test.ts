import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { untilReady } from '../../local/readiness.js'

const NEVER = 3_600_000
const patient = { serviceMs: NEVER, lateMs: NEVER }
const ready = { status: 'ready', services: { postgres: { state: 'up' }, redis: { state: 'off' } } }
const degraded = { status: 'degraded', services: { postgres: { state: 'up' }, redis: { state: 'down' } } }

/** A process that gives these answers, one after the other, the last again and again. */
async function process (t: Test, ...answers: object[]): Promise<{ address: string, asked: () => number }> {
  let asked = 0
  const server = createServer((_request, response) => response.end(JSON.stringify(answers[Math.min(asked++, answers.length - 1)]))).listen(0, '127.0.0.1')
  t.teardown(() => { server.close().closeAllConnections() })
  await once(server, 'listening')
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

const going = () => new AbortController().signal

t.test('it is ready once every process is, with all services that it has', async (t) => {
  const [api, worker] = [await process(t, ready), await process(t, { ...degraded, status: 'unready' }, degraded, ready)]
  t.strictSame(await untilReady([api.address, worker.address], going(), () => {}, patient), [])
  t.ok(worker.asked() >= 3, 'the later one was waited for')
})

t.test('a service that stays away is named after a while, once the rest can work', async (t) => {
  const [api, worker] = [await process(t, ready), await process(t, { ...degraded, status: 'unready' }, degraded)]
  t.strictSame(await untilReady([api.address, worker.address], going(), () => {}, { ...patient, serviceMs: 1 }), ['redis'])
})

t.test('when it takes long that is told once, and the wait goes on until it is given up', async (t) => {
  const { address } = await process(t, { ...degraded, status: 'unready' })
  const stop = new AbortController()
  let told = 0
  t.equal(await untilReady([address, 'http://127.0.0.1:1'], stop.signal, () => { told++; stop.abort() }, { ...patient, lateMs: 1 }), null)
  t.equal(told, 1)
})
