import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** One call as it came. */
export interface Call {
  at: number
  path: string
  headers: Record<string, string>
  body: string
  event: { id: string, type: string, subject?: string, sequence?: string, orderversion?: number, data: { order?: { user_id: number, status: string } } }
}

export interface Receiver {
  /** Without a slash at its end. */
  url: string
  calls: Call[]
  connections: number
  server: Server
}

export type Reply = (response: ServerResponse, call: Call, request: IncomingMessage) => void

export const OK: Reply = (response) => { response.writeHead(204).end() }

/** A real server of the receiver's side; it ends with the test. */
export async function openReceiver (t: Test, reply: Reply = OK, { host = '127.0.0.1', tls }: { host?: string, tls?: ServerOptions } = {}): Promise<Receiver> {
  const calls: Call[] = []
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const call = { at: Date.now(), path: request.url!, headers: request.headers as Record<string, string>, body, event: JSON.parse(body) as Call['event'] }
      calls.push(call)
      reply(response, call, request)
    })
  }
  const server = tls ? createTlsServer(tls, listener) as Server : createServer(listener)
  const receiver: Receiver = { url: '', calls, connections: 0, server }
  server.on('connection', () => { receiver.connections++ })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  receiver.url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
  return receiver
}
