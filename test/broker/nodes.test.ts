import t from 'tap'
import { BrokerNodes, isOtherFamily, virtualHostOf } from '../../src/broker/nodes.js'

const THREE = 'amqp://u:p@10.0.0.1:1,10.0.0.2:2,10.0.0.3:3/shop?x=1'
const ports = (nodes: ReadonlyArray<{ at: string }>) => nodes.map(({ at }) => at.split(':')[1])
const failing = async (): Promise<never> => { throw new Error('refused') }

t.test('each host of a URL is a node with a URL of its own: login, virtual host and query are the same for all', async (t) => {
  const nodes = await new BrokerNodes(THREE, () => 0).inTurn()
  t.strictSame(nodes, [1, 2, 3].map((n) => ({ at: `10.0.0.${n}:${n}`, url: `amqp://u:p@10.0.0.${n}:${n}/shop?x=1`, servername: null })))
})

t.test('the first node is a random one, the others follow in their order', async (t) => {
  for (const [random, order] of [[0, ['1', '2', '3']], [0.34, ['2', '3', '1']], [0.99, ['3', '1', '2']]] as const) {
    t.strictSame(ports(await new BrokerNodes(THREE, () => random).inTurn()), order, String(random))
  }
})

t.test('the node that failed or was lost comes last', async (t) => {
  const nodes = new BrokerNodes(THREE, () => 0)
  t.equal(await nodes.open(async ({ at }) => at), '10.0.0.1:1')
  t.strictSame(ports(await nodes.inTurn()), ['2', '3', '1'])
  t.equal(await nodes.open(async ({ at }) => at === '10.0.0.2:2' ? await failing() : at), '10.0.0.3:3')
  t.strictSame(ports(await nodes.inTurn()), ['1', '2', '3'], 'tried longest ago first')
})

t.test('where no node can be used each is named with its reason; a lone one fails with its own error', async (t) => {
  await t.rejects(new BrokerNodes(THREE, () => 0).open(failing), { message: 'no node can be used: 10.0.0.1:1: refused; 10.0.0.2:2: refused; 10.0.0.3:3: refused' })
  const own = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  await t.rejects(new BrokerNodes('amqp://10.0.0.1').open(async () => { throw own }), own)
})

t.test('no further node is tried once nothing is wanted any more', async (t) => {
  const stopping = new AbortController()
  const tried: string[] = []
  await t.rejects(new BrokerNodes(THREE, () => 0).open(async ({ at }) => {
    tried.push(at)
    stopping.abort()
    throw new Error('refused')
  }, stopping.signal))
  t.strictSame(tried, ['10.0.0.1:1'])
})

t.test('a name stands for every address that it has, and its certificate is to be for the name', async (t) => {
  const nodes = await new BrokerNodes('amqps://u:p@localhost:5671/shop', () => 0).inTurn()
  t.ok(nodes.length >= 1)
  for (const { url, servername } of nodes) {
    t.match(url, /^amqps:\/\/u:p@(127\.0\.0\.1|\[::1\]):5671\/shop$/)
    t.equal(servername, 'localhost')
  }
})

t.test('a name without an address is told as the resolver tells it, and does not keep those that have one from being used', async (t) => {
  await t.rejects(new BrokerNodes('amqp://nowhere.invalid').inTurn(), { code: /ENOTFOUND|EAI_AGAIN/ })
  t.strictSame(ports(await new BrokerNodes('amqp://nowhere.invalid,10.0.0.2:2').inTurn()), ['2'])
})

t.test('an address of the other family of one name is the same node, another of the same family is not', async (t) => {
  const node = (url: string, servername: string | null) => ({ at: url, url, servername })
  const [four, six, next] = [node('amqp://127.0.0.1', 'localhost'), node('amqp://[::1]', 'localhost'), node('amqp://127.0.0.2', 'localhost')]
  t.equal(isOtherFamily(six, [four]), true)
  t.equal(isOtherFamily(next, [four]), false)
  t.equal(isOtherFamily(node('amqp://[::2]', 'elsewhere'), [four]), false)
  t.equal(isOtherFamily(node('amqp://[::1]', null), [node('amqp://127.0.0.1', null)]), false)
})

t.test('the virtual host is the path, decoded; without one it is the default', async (t) => {
  for (const [url, vhost] of [['amqp://a,b/shop%2Forders', 'shop/orders'], ['amqp://a', '/'], ['amqp://a/%2F', '/']] as const) t.equal(virtualHostOf(url), vhost, url)
})
