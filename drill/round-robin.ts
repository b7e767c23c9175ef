import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Cleanup } from '../testkit/cleanup.js'

/**
 * One address in front of several: each connection goes to the next of them, and to the one behind it where nobody listens.
 * What was sent once is never sent again. It knows nothing of health, as the plainest of balancers.
 * @returns the port
 */
export async function openRoundRobin (ports: readonly number[], cleanup: Cleanup): Promise<number> {
  const open = new Set<Socket>()
  let turn = 0
  const server = createServer((client) => {
    open.add(client)
    client.on('error', () => {})
    client.on('close', () => open.delete(client))
    client.setNoDelay(true)
    void firstThatListens(ports, turn++).then((api) => join(client, api))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.add('round robin', () => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

async function firstThatListens (ports: readonly number[], turn: number): Promise<Socket | null> {
  for (let tried = 0; tried < ports.length; tried++) {
    const socket = connect(ports[(turn + tried) % ports.length]!, '127.0.0.1')
    const connected = await once(socket, 'connect').then(() => true, () => false)
    if (connected) return socket
  }
  return null
}

function join (client: Socket, api: Socket | null): void {
  if (api === null || client.destroyed) {
    client.destroy()
    api?.destroy()
    return
  }
  api.setNoDelay(true)
  api.on('error', () => {})
  api.on('close', () => client.destroySoon())
  client.on('close', () => api.destroy())
  client.pipe(api)
  api.pipe(client)
}
