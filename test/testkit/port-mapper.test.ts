import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { PortMapper } from '../../testkit/port-mapper.js'

async function open (t: Test, ports: Record<string, number>): Promise<PortMapper> {
  const mapper = await PortMapper.open((name) => ports[name] ?? null)
  t.teardown(() => mapper.close())
  return mapper
}

const framed = (...parts: Array<Buffer | number[]>) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from([body.length >> 8, body.length & 255]), body])
}

/** As a node does when it starts: port 4711, visible, TCP, versions 6 to 5. */
const registration = (name: string) => framed([120, 4711 >> 8, 4711 & 255, 77, 0, 0, 6, 0, 5, 0, name.length], Buffer.from(name), [0, 0])

async function ask (mapper: PortMapper, letter: number, name = ''): Promise<Buffer> {
  const socket = connect(mapper.port, '127.0.0.1')
  socket.write(framed([letter], Buffer.from(name)))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

t.test('a node is found by its name for as long as its connection is open', async (t) => {
  const mapper = await open(t, {})
  const node = connect(mapper.port, '127.0.0.1')
  const request = registration('one')
  node.write(request.subarray(0, 5)) // in pieces, as TCP may bring it
  await ask(mapper, 110) // answered behind the first of them
  node.write(request.subarray(5))
  const [answer] = await once(node, 'data') as [Buffer]
  t.strictSame([...answer.subarray(0, 2)], [118, 0])
  t.equal(answer.length, 6)
  const found = await ask(mapper, 122, 'one')
  t.equal(found.readUInt16BE(2), 4711)
  t.equal(found.toString('latin1', 12, 15), 'one')
  t.equal((await ask(mapper, 110)).toString('latin1', 4), 'name one at port 4711\n')
  node.destroy()
  for (let tries = 0; tries < 100 && (await ask(mapper, 122, 'one')).length > 2; tries++) await new Promise(setImmediate)
  t.strictSame([...await ask(mapper, 122, 'one')], [119, 1])
})

t.test('a node that is registered elsewhere is found where one says it is, any other nowhere', async (t) => {
  const mapper = await open(t, { two: 815 })
  t.equal((await ask(mapper, 122, 'two')).readUInt16BE(2), 815)
  t.strictSame([...await ask(mapper, 122, 'three')], [119, 1])
})
