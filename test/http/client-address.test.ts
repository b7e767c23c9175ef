import t from 'tap'
import { clientAddress } from '../../src/http/client-address.js'

t.test('an address is told without its port, quotes and zone', async (t) => {
  const table = { '9.9.9.9': '9.9.9.9', '9.9.9.9:1234': '9.9.9.9', '"9.9.9.9:1"': '9.9.9.9', '2001:db8::1': '2001:db8::1', '[2001:db8::1]': '2001:db8::1', '[2001:db8::1]:80': '2001:db8::1', '"[2001:db8::1]:80"': '2001:db8::1', 'fe80::1%a/1': 'fe80::1', '::ffff:9.9.9.9': '::ffff:9.9.9.9' }
  for (const [told, address] of Object.entries(table)) t.equal(clientAddress(told, '10.0.0.1'), address, told)
})

t.test('what is no address counts as the proxy that told it', async (t) => {
  for (const told of ['', 'unknown', '_hidden', '009.9.9.9', '9.9.9', '9.9.9.9.9', '999.9.9.9', '[9.9.9.9', '[::1]x', '9.9.9.9:x', '::1::', '0x9.9.9.9', "'9.9.9.9'"]) t.equal(clientAddress(told, '10.0.0.1'), '10.0.0.1', told)
})
