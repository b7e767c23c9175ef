import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

const handedOut = new Set<number>()

/** True when nothing listens on this loopback port. */
export function isFree (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/**
 * A free loopback port, the preferred one if it can be had. Others come from below the range the system itself hands
 * out: RabbitMQ binds 4 s after it was told its port, and an outgoing connection could take it meanwhile.
 */
export async function freePort (preferred?: number): Promise<number> {
  if (preferred !== undefined && await isFree(preferred)) return preferred
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(20_000, 32_000)
    if (handedOut.has(port) || !await isFree(port)) continue
    handedOut.add(port)
    return port
  }
  throw new Error('no free port between 20000 and 32000 on 127.0.0.1')
}

/**
 * Sends bytes to a TCP port and gives back the first bytes of the answer that satisfy `complete`; null when none came
 * within `limitMs` milliseconds.
 */
export function askPort (at: { host: string, port: number }, bytes: string | Buffer, complete: (answer: Buffer) => boolean, limitMs: number): Promise<Buffer | null> {
  return new Promise(resolve => {
    let answer = Buffer.alloc(0)
    const socket = connect({ host: at.host, port: at.port })
    const end = (result: Buffer | null) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => end(null), limitMs)
    socket.on('connect', () => socket.write(bytes))
    socket.on('error', () => end(null))
    socket.on('close', () => end(complete(answer) ? answer : null))
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk])
      if (complete(answer)) end(answer)
    })
  })
}
