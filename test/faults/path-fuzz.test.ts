import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startApi } from '../support/apps.js'
import { newcomer } from '../support/people.js'
import { openPlace } from '../support/place.js'
import { routesOf } from '../support/routes.js'

/** Whatever path is asked for, of a route or a file or nothing: what is refused is a problem of the client's, by any plugin. */
const place = await openPlace(t)
const api = await startApi(t, place, { AMQP_URL: '', REDIS_URL: '', LOGIN_LIMIT: '100000' })
const ana = await newcomer(api)
await api.listen({ port: 0, host: '127.0.0.1' })
const { port } = api.server.address() as AddressInfo

const SEGMENTS = ['..', '%2e%2e', '.', '%00', 'a%00b', '..%2f..%2fpackage.json', '%5c..%5c', '..\\..', '.git', '.env', 'nope', 'index.html%00', 'index.html/x', '%', '%zz', '%ff', '%E0%A4%A', 'x'.repeat(201), '*', ':order_id', '~', '%2f', '']
const HEADERS: Array<Record<string, string>> = [
  {}, { range: 'bytes=999999999-' }, { range: 'bytes=5-1' }, { 'if-match': '"x"' }, { 'if-none-match': '*' }, { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, { expect: 'x' }, { 'accept-encoding': 'x;q=0' }
]

/** Sent as it is: other clients resolve dots before they send them. */
async function ask (method: string, path: string, headers: Record<string, string>): Promise<{ status: number, type: string, body: string }> {
  const sent = request({ port, method, path, headers: { ...ana.headers, ...headers } }).end()
  const [response] = await once(sent, 'response') as [IncomingMessage]
  return { status: response.statusCode!, type: response.headers['content-type'] ?? '', body: (await response.toArray()).join('') }
}

function faultOf (method: string, { status, type, body }: Awaited<ReturnType<typeof ask>>): string | null {
  if (status >= 500) return `${status}: ${body}`
  if (status === 405) return 'the router knows this method here'
  if (status < 400 || method === 'HEAD') return null
  if (!type.startsWith('application/problem+json')) return `${status} as ${type}: ${body}`
  const problem = JSON.parse(body) as { status: number, type: string }
  return problem.status === status && problem.type.startsWith('urn:comanda:problem:') ? null : body
}

/** The route with something strange in the place of its parameter or wildcard, and behind it. */
function pathsOf (route: string): string[] {
  const open = route.match(/\{\w+\}|\*$/)
  return SEGMENTS.flatMap((segment) => open ? [route.replace(/\{\w+\}|\*$/, () => segment)] : []).concat([route.replace(/\{\w+\}|\*$/, 'x')])
}

t.test('every path that the router knows, files too, answers strange requests with 4xx problems at worst', async (t) => {
  const routes = routesOf(api).map((route) => route.split(' ') as [string, string]).filter(([method, path]) => ['GET', 'HEAD'].includes(method) || /[{*]/.test(path))
  t.ok(routes.some(([, path]) => path === '/docs/static/*'), 'those of files are among them')
  for (const [method, route] of routes) {
    for (const path of pathsOf(route)) {
      for (const headers of path.startsWith('/docs/static/') || path === route ? HEADERS : [{}]) {
        // A DELETE of oneself would end this test's token; what it is to hit is spared.
        if (method === 'DELETE' && path === '/users/me') continue
        const answer = await ask(method, path, headers)
        const fault = faultOf(method, answer)
        if (fault !== null) t.fail(`${method} ${path.slice(0, 60)} ${JSON.stringify(headers)}: ${fault}`)
      }
    }
  }
  t.strictSame(api.lines.filter(({ level }) => level === 'error' || level === 'fatal'), [])
})

t.test('a file that is not there, or may not be read, is 404', async (t) => {
  for (const path of ['/docs/static/nope', '/docs/static/..', '/docs/static/%2e%2e', '/docs/static/%2e%2e/%2e%2e/package.json']) {
    const { status, body } = await ask('GET', path, {})
    t.strictSame([status, (JSON.parse(body) as { type: string }).type], [404, 'urn:comanda:problem:not-found'], path)
  }
  t.equal((await ask('POST', '/docs/static/nope', {})).status, 405)
})
