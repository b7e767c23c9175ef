import t from 'tap'
import { isPublic } from '../../src/addresses/public-addresses.js'
import { faultOfEndpoint, policyOf } from '../../src/webhooks/endpoint-url.js'

const production = policyOf({ httpsOnly: true, networks: [] })
const development = policyOf({ httpsOnly: false, networks: null })

const FORBIDDEN = [
  '127.0.0.1', '127.1', '0x7f000001', '2130706433', '017700000001', '0177.0.0.1', '127.0.0.1.', '0', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '0xa9fea9fe',
  '100.64.0.1', '198.18.0.1', '192.0.2.1', '203.0.113.1', '192.0.0.8', '192.88.99.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '１２７.0.0.1', '%31%32%37.0.0.1',
  '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::1]', '[2002:7f00:1::]', '[2001::1]', '[2001:db8::1]', '[fc00::1]', '[fd12::1]', '[fe80::1]', '[fec0::1]', '[ff02::1]', '[3fff::1]', '[5f00::1]', '[100::1]',
  'localhost', 'localhost.', 'LOCALHOST', 'a.localhost', 'a.localhost.'
]

t.test('no spelling of an address that is not public is taken, and none of a local name', async (t) => {
  for (const host of FORBIDDEN) {
    t.equal(faultOfEndpoint(`https://${host}/hook`, production), 'leads to an address that is not public', host)
    t.equal(faultOfEndpoint(`http://${host}/hook`, development), null, `${host} in development`)
  }
})

t.test('what is public is taken', async (t) => {
  for (const host of ['example.com', '8.8.8.8', '[2606:4700::1111]', 'localhost.example.com', 'notlocalhost', 'xn--caf-dma.example', '172.32.0.1', '11.0.0.1']) t.equal(faultOfEndpoint(`https://${host}/hook`, production), null, host)
})

t.test('networks that are allowed all the same are, in either spelling, and no others', async (t) => {
  const policy = policyOf({ httpsOnly: true, networks: ['10.1.0.0/16', '127.0.0.0/8', 'fd00::/8'] })
  for (const host of ['10.1.2.3', '127.0.0.1', '[::ffff:10.1.2.3]', '[fd12::1]', 'localhost']) t.equal(faultOfEndpoint(`https://${host}/`, policy), null, host)
  for (const host of ['10.2.0.1', '[fc00::1]', '[::1]', '192.168.0.1']) t.not(faultOfEndpoint(`https://${host}/`, policy), null, host)
})

t.test('in production plain http leads to networks that are allowed, and nowhere else', async (t) => {
  const policy = policyOf({ httpsOnly: true, networks: ['10.1.0.0/16'] })
  t.equal(faultOfEndpoint('http://10.1.2.3/', policy), null)
  for (const host of ['8.8.8.8', '10.2.0.1', 'localhost']) t.equal(faultOfEndpoint(`http://${host}/`, policy), 'leads to an address that is not public', host)
  t.equal(faultOfEndpoint('http://internal.example/', policy), null, 'a name is judged by its addresses')
  t.equal(policy.allows('8.8.8.8', 'http:'), false)
  t.equal(policy.allows('8.8.8.8', 'https:'), true)
})

t.test('a URL that cannot be meant is refused, with why', async (t) => {
  const table: Array<[url: string, why: RegExp]> = [
    ['http://example.com', /must begin with https:\/\/$/], ['ftp://example.com', /must begin/], ['javascript:alert(1)', /must begin/], ['example.com/hook', /must be a URL/], ['https://', /must be a URL/], ['', /must be a URL/],
    ['https://user@example.com', /user or a password/], ['https://u:p@example.com', /user or a password/], ['https://example.com/#a', /fragment/], [`https://example.com/${'x'.repeat(2000)}`, /at most 2000/]
  ]
  for (const [url, why] of table) t.match(faultOfEndpoint(url, production), why, url.slice(0, 60))
})

t.test('an address that is none is not public', async (t) => {
  for (const text of ['', 'x', 'fe80::1%eth0', '::ffff:10.0.0.1']) t.equal(isPublic(text), false, text)
  t.equal(isPublic('::ffff:8.8.8.8'), true)
})
