import t from 'tap'
import { isOurOwn } from '../../src/http/same-origin.js'

const host = 'shop.example'

t.test('a request that changes something acts by the cookie only for a page of ours', async (t) => {
  const table: Array<[ours: boolean, headers: Record<string, string>]> = [
    [true, { origin: 'https://shop.example', 'sec-fetch-site': 'same-origin' }],
    [true, { origin: 'https://public.example', 'sec-fetch-site': 'same-origin' }], // a proxy rewrote Host
    [true, { origin: 'https://shop.example' }],
    [false, {}],
    [false, { 'sec-fetch-site': 'same-origin' }],
    [false, { origin: 'null' }],
    [false, { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    [false, { origin: 'https://shop.example', 'sec-fetch-site': 'same-site' }],
    [false, { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' }],
    [false, { origin: 'https://shop.example', 'sec-fetch-site': 'none' }],
    [false, { origin: 'https://shop.example.evil.example' }],
    [false, { origin: 'https://shop.example:8443' }],
    [false, { origin: 'https://evil.example' }]
  ]
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const [ours, headers] of table) t.equal(isOurOwn({ method, headers, host }), ours, `${method} ${JSON.stringify(headers)}`)
  }
})

t.test('what only reads needs no origin: browsers name none', async (t) => {
  for (const method of ['GET', 'HEAD']) t.equal(isOurOwn({ method, headers: {}, host }), true)
})
