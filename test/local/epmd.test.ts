import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { endEpmd } from '../../local/epmd.js'
import { isListening } from './bare-machine.js'

/** Speaks as much of epmd's protocol as is needed: `names` are the nodes it knows, `onKill` what a request to end does. */
async function portMapper (t: Test, names: string, onKill: (server: Server) => void): Promise<number> {
  const server = createServer()
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const portBytes = Buffer.alloc(4)
  portBytes.writeUInt32BE(port)
  server.on('connection', socket => {
    socket.on('error', () => {})
    socket.on('data', request => {
      if (request[2] === 'k'.charCodeAt(0)) { socket.end('OK'); onKill(server); return }
      socket.end(Buffer.concat([portBytes, Buffer.from(names)]))
    })
  })
  return port
}

t.test('the port mapper is gone when its end resolves, though it says so earlier', async t => {
  const port = await portMapper(t, '', server => { void after(100).then(() => server.close()) })
  await endEpmd(port)
  t.equal(await isListening(`tcp://127.0.0.1:${port}`), false)
})

t.test('a port mapper that serves a node is left alone', async t => {
  const asked: string[] = []
  const port = await portMapper(t, 'name other at port 4711\n', () => asked.push('to end'))
  await endEpmd(port)
  t.strictSame(asked, [])
  t.equal(await isListening(`tcp://127.0.0.1:${port}`), true)
})
