import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { acceptsStream, EventStream, frameOf } from '../../src/http/event-stream.js'
import { eventually } from '../support/eventually.js'

/** A stream over a real connection, and what reads it. */
async function opened (t: Test, unreadMs?: number): Promise<{ stream: EventStream, response: ServerResponse, read: IncomingMessage }> {
  const server = createServer()
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const streaming = once(server, 'request').then((event) => {
    const response = event[1] as ServerResponse
    return { response, stream: new EventStream(response, { 'x-own': 'yes' }, unreadMs) }
  })
  const asked = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  asked.on('error', () => {})
  t.teardown(() => asked.destroy())
  asked.end()
  const [read] = await once(asked, 'response') as [IncomingMessage]
  read.on('error', () => {})
  return { ...await streaming, read }
}

t.test('only a header that names the media type asks for a stream', async (t) => {
  for (const accept of ['text/event-stream', 'Text/Event-Stream', 'application/json, text/event-stream;q=0.5', ' text/event-stream , */*']) t.equal(acceptsStream(accept), true, accept)
  for (const accept of [undefined, '', '*/*', 'text/*', 'application/json', 'text/event-streams', 'x-text/event-stream', 'text/event-stream;q=0', 'text/event-stream; q=0.0']) t.equal(acceptsStream(accept), false, String(accept))
})

t.test('a frame has an id, a type and its data, and an empty line ends it', async (t) => {
  t.equal(frameOf({ id: 7, event: 'x', data: '{}' }), 'id: 7\nevent: x\ndata: {}\n\n')
})

t.test('a stream is answered before anything happens, and ends when it is told', async (t) => {
  const { stream, read } = await opened(t)
  t.match(read.headers, { 'x-own': 'yes', 'content-type': 'text/event-stream', connection: 'close' })
  t.equal(await stream.write('data: 1\n\n'), true)
  stream.end()
  let text = ''
  for await (const some of read) text += String(some)
  t.match(text, /^retry: \d{4}\n\ndata: 1\n\n$/)
  t.equal(await stream.write('data: 2\n\n'), false)
})

t.test('a reader that stops reading is waited for, then cut off; no more than was written at once is held for it', async (t) => {
  const { stream, response, read } = await opened(t, 300)
  read.pause()
  const frame = `data: ${'x'.repeat(32 * 1024)}\n\n`
  let most = 0
  const written = async () => {
    const taken = await stream.write(frame)
    most = Math.max(most, response.writableLength)
    return taken
  }
  while (await written());
  t.equal(response.destroyed, true)
  t.ok(most < 128 * 1024, `${most} bytes`)
})

t.test('a reader that is slow is waited for, and loses nothing', async (t) => {
  const { stream, read } = await opened(t, 60_000)
  const frame = `data: ${'x'.repeat(64 * 1024)}\n\n`
  let [sent, got] = [0, 0]
  const writing = (async () => {
    for (; sent < 300; sent++) if (!await stream.write(frame)) return
    stream.end()
  })()
  await eventually('it waits for its reader', () => sent > 0)
  for await (const some of read) got += (some as Buffer).length
  await writing
  t.ok(got > 300 * frame.length)
})

t.test('a stream whose reader left says so, and ends its heartbeat', async (t) => {
  const { stream, response, read } = await opened(t)
  read.destroy()
  if (!response.destroyed) await once(response, 'close')
  t.equal(await stream.write('data: 1\n\n'), false)
})
