import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { type ProblemCode, problemBody } from '../../src/http/problems.js'
import { configPlugin } from '../../src/plugins/config.js'
import { openapiPlugin } from '../../src/plugins/openapi.js'
import { boot } from '../support/apps.js'

interface Response { description: string, headers: Record<string, object>, content?: Record<string, { schema: Record<string, unknown>, examples?: Record<string, object> }> }
interface Parameter { name: string, in: string, required?: boolean }
interface Operation { operationId: string, parameters?: Parameter[], requestBody?: Pick<Response, 'content'>, responses: Record<string, Response> }
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>, headers: Record<string, { required?: boolean }>, examples: Record<ProblemCode, { value: { status: number } }> }
}

const env = { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', LOG_LEVEL: 'silent' }
const api = await boot(t, 'api', env)
const { paths, components } = (await api.inject('/docs/json')).json<Document>()
const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })))
const codesOf = ({ content }: Response) => Object.keys(content?.['application/problem+json']?.examples ?? {})
const named = (name: string) => operations.find((operation) => operation.name === name)!

t.test('openapi.yaml is what the api serves', async (t) => {
  t.equal((await api.inject('/docs/yaml')).body, readFileSync('openapi.yaml', 'utf8'), 'run `npm run openapi`')
})

t.test('every operation has a name of its own, made of its method and path', async (t) => {
  const ids = operations.map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) t.match(id, /^[a-z][a-zA-Z]+$/)
  t.equal(named('GET /orders/{order_id}').operationId, 'getOrder')
})

t.test('every response says what it means, and carries the request id', async (t) => {
  for (const { name, responses } of operations) {
    for (const [status, { description, headers }] of Object.entries(responses)) {
      t.notMatch(description, /^(Default Response|\d+)$/, `${name} ${status}`)
      t.ok('x-request-id' in headers, `${name} ${status}`)
    }
  }
})

t.test('the problems of an operation follow from its shape and its own list', async (t) => {
  const table: Record<string, Record<number, string[]>> = {
    'GET /livez': { 500: ['internal'] },
    'POST /users': { 400: ['bad_request', 'validation_failed', 'not_storable', 'weak_password'], 409: ['account_taken'], 413: ['payload_too_large'], 415: ['unsupported_media_type'], 429: ['too_many_requests'], 500: ['internal'], 503: ['unavailable'] },
    'GET /orders/{order_id}': { 400: ['validation_failed', 'not_storable'], 401: ['token_missing', 'token_expired', 'token_invalid'], 404: ['order_not_found', 'order_not_visible_yet'], 500: ['internal'], 503: ['unavailable'] }
  }
  for (const [name, expected] of Object.entries(table)) {
    const told = Object.entries(named(name).responses).map(([status, response]) => [status, codesOf(response)] as const).filter(([, codes]) => codes.length > 0)
    t.match(Object.fromEntries(told), expected, name)
    t.strictSame(told.map(([status]) => status), Object.keys(expected), name)
  }
})

t.test('each problem has its real body as an example, under its own status', async (t) => {
  for (const { name, responses } of operations) {
    for (const [status, response] of Object.entries(responses)) {
      for (const code of codesOf(response)) t.equal(String(components.examples[code as ProblemCode].value.status), status, `${name} ${status} ${code}`)
    }
  }
  for (const [code, { value }] of Object.entries(components.examples)) t.match(value, problemBody(code as ProblemCode, { instance: '/orders', request_id: '4f6f2f0e-8f5b-4c1e-9d3c-0d9f3b1c7a55' }))
})

t.test('a named schema stands once, as a component', async (t) => {
  const contents = operations.flatMap(({ requestBody, responses }) => [requestBody, ...Object.values(responses)]).flatMap((part) => Object.values(part?.content ?? {}))
  for (const { schema } of contents) t.match(schema.$ref ?? schema.type, /^(#\/components\/schemas\/\w+|array|string)$/)
  t.notMatch(JSON.stringify({ paths, components }), /\$id|x-schema-id/)
  t.ok('Order' in components.schemas && 'Problem' in components.schemas)
})

t.test('what a client may leave out is not required', async (t) => {
  t.match(named('GET /orders').parameters, [{ name: 'limit', in: 'query', required: false }])
  t.match(named('POST /orders').parameters, [{ name: 'idempotency-key', in: 'header', required: false }])
})

t.test('the header fields of a response are told', async (t) => {
  t.strictSame(Object.keys(named('POST /orders').responses[202]!.headers), ['x-request-id', 'ratelimit-policy', 'ratelimit', 'location', 'etag', 'idempotency-replayed'])
  t.strictSame(Object.keys(named('GET /orders').responses[200]!.headers), ['x-request-id', 'link'])
  t.strictSame(Object.keys(named('GET /orders').responses[401]!.headers), ['x-request-id', 'www-authenticate'])
  t.ok('retry-after' in named('POST /orders').responses[503]!.headers && 'retry-after' in named('POST /users').responses[429]!.headers)
  t.ok(components.headers.etag?.required)
})

t.test('two schemas of one name are refused', async (t) => {
  const app = Fastify()
  await app.register(configPlugin, { config: loadConfig('api', env, () => 'x'.repeat(32)) })
  await app.register(openapiPlugin)
  app.get('/a', { schema: { response: { 200: Type.Object({ a: Type.String() }, { $id: 'Same' }) } } }, async () => ({}))
  app.get('/b', { schema: { response: { 200: Type.Object({ b: Type.String() }, { $id: 'Same' }) } } }, async () => ({}))
  t.teardown(async () => await app.close())
  await app.ready()
  t.throws(() => app.swagger(), /two schemas are called Same/)
})
