import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** Letters of requests and answers (Erlang, "Distribution Protocol", part EPMD). */
const [REGISTER, REGISTERED, LOOK_UP, FOUND, NAMES] = [120, 118, 122, 119, 110]

interface Node { port: number, type: number, protocol: number, highest: number, lowest: number }

/**
 * Speaks as Erlang's port mapper. A node that is given one of its own can be told other ports of its peers than they listen on:
 * those of proxies, so that what two nodes say to each other can be cut.
 */
export class PortMapper {
  readonly #portOf: (name: string) => number | null
  readonly #nodes = new Map<string, Node>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor (portOf: (name: string) => number | null) {
    this.#portOf = portOf
    this.#server = createServer((socket) => this.#take(socket))
  }

  /** @param portOf where a node that is registered elsewhere is to be found; null: there is none */
  static async open (portOf: (name: string) => number | null): Promise<PortMapper> {
    const mapper = new PortMapper(portOf)
    await once(mapper.#server.listen(0, '127.0.0.1'), 'listening')
    mapper.port = (mapper.#server.address() as AddressInfo).port
    return mapper
  }

  port = 0

  close (): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #take (socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    let rest = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes])
      if (rest.length < 2 || rest.length < 2 + rest.readUInt16BE(0)) return
      const request = rest.subarray(2, 2 + rest.readUInt16BE(0))
      rest = rest.subarray(2 + request.length)
      this.#answer(socket, request)
    })
  }

  #answer (socket: Socket, request: Buffer): void {
    if (request[0] === REGISTER) return this.#register(socket, request)
    if (request[0] === LOOK_UP) socket.end(this.#lookUp(request.toString('latin1', 1)))
    else if (request[0] === NAMES) socket.end(Buffer.concat([uint(this.port, 4), Buffer.from([...this.#nodes].map(([name, { port }]) => `name ${name} at port ${port}\n`).join(''))]))
    else socket.destroy()
  }

  /** It is registered for as long as the connection is open. */
  #register (socket: Socket, request: Buffer): void {
    const name = request.toString('latin1', 11, 11 + request.readUInt16BE(9))
    const node = { port: request.readUInt16BE(1), type: request[3]!, protocol: request[4]!, highest: request.readUInt16BE(5), lowest: request.readUInt16BE(7) }
    this.#nodes.set(name, node)
    socket.on('close', () => { if (this.#nodes.get(name) === node) this.#nodes.delete(name) })
    socket.write(Buffer.concat([Buffer.from([REGISTERED!, 0]), uint(Math.floor(Math.random() * 0xfffffff) + 4, 4)]))
  }

  #lookUp (name: string): Buffer {
    const own = this.#nodes.get(name)
    const port = own?.port ?? this.#portOf(name)
    if (port === null) return Buffer.from([FOUND!, 1])
    // what every node of today says of itself: visible, TCP, version 6 down to 5
    const { type, protocol, highest, lowest } = own ?? { type: 77, protocol: 0, highest: 6, lowest: 5 }
    return Buffer.concat([Buffer.from([FOUND!, 0]), uint(port, 2), Buffer.from([type, protocol]), uint(highest, 2), uint(lowest, 2), uint(name.length, 2), Buffer.from(name, 'latin1'), uint(0, 2)])
  }
}

function uint (value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
