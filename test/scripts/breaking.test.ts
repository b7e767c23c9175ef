import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { type Breaking, breakingChanges, unrecorded } from '../../scripts/breaking.js'

interface Schema { type?: unknown, required: string[], properties: Record<string, Schema & { enum?: string[], maxLength?: number }> }
interface Operation { security?: unknown[], parameters: Array<Record<string, unknown>>, responses: Record<number, { headers: Record<string, unknown> }> }
interface Document { paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> } }

const folder = mkdtempSync(join(tmpdir(), 'comanda-contract-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** What breaks when the contract is changed like this. */
function planted (change: (document: Document) => void): Breaking[] {
  const document = parse(readFileSync('openapi.yaml', 'utf8')) as Document
  change(document)
  const file = join(folder, 'changed.yaml')
  writeFileSync(file, stringify(document, { aliasDuplicateObjects: false }))
  return breakingChanges('openapi.yaml', file)
}

t.test('what breaks a client is found and named by its operation', async (t) => {
  const found = planted(({ paths, components: { schemas } }) => {
    delete paths['/auth/token/renew']
    delete paths['/orders/{order_id}']!.get
    delete paths['/orders']!.post!.responses[503]
    delete paths['/orders']!.post!.responses[202]!.headers.etag
    delete paths['/auth/token']!.post!.security
    paths['/orders']!.get!.parameters.push({ in: 'query', name: 'region', required: true, schema: { type: 'string' } })
    const { Login, Order, OrderBody, Registration } = schemas
    Login!.required.push('otp')
    Login!.properties.otp = { type: 'string' } as unknown as Schema
    delete Registration!.properties.phone_number
    OrderBody!.properties.item_description!.maxLength = 10
    Order!.properties.version!.type = 'string'
  })
  const table: Array<[operation: string, what: RegExp]> = [
    ['/auth/token/renew', /removed/],
    ['GET /orders/{order_id}', /removed/],
    ['POST /orders', /Response `?503.* removed/i],
    ['POST /orders', /etag.* removed/i],
    ['POST /auth/token', /SecurityRequirementList was removed/],
    ['GET /orders', /region/],
    ['POST /auth/token', /became required: `otp`/],
    ['POST /users', /phone_number/],
    ['POST /orders', /maxLength.* '256' to '10'/],
    ['GET /users/{user_id}/orders', /`version` .*'integer' to 'string'/]
  ]
  for (const [operation, what] of table) t.ok(found.some((one) => one.operation === operation && what.test(one.what)), `${operation}: ${String(what)}\n${JSON.stringify(found, null, 1)}`)
})

t.test('what only adds breaks nobody', async (t) => {
  t.strictSame(planted(() => {}), [])
  t.strictSame(planted(({ paths, components: { schemas } }) => {
    paths['/more'] = { get: { ...paths['/orders']!.get!, parameters: [] } }
    paths['/orders']!.get!.parameters.push({ in: 'query', name: 'region', required: false, schema: { type: 'string' } })
    schemas.Order!.properties.region = { type: 'string' } as unknown as Schema
    schemas.OrderBody!.properties.region = { type: 'string' } as unknown as Schema
    schemas.OrderBody!.properties.item_description!.maxLength = 1000
  }), [])
})

t.test('a breaking change is owned up to by a line of the unreleased section that names its operation', async (t) => {
  const changes = ['GET /orders', 'POST /orders'].map((operation) => ({ operation, what: 'x' }))
  const missing = (changelog: string) => unrecorded(changes, changelog).map(({ operation }) => operation)
  const unreleased = '# Changelog\n\n## 2.0.0 (Unreleased)\n\n'
  t.strictSame(missing(`${unreleased}- **Breaking** \`GET /orders\` and \`POST /orders\` lost x.\n\n## 1.0.0\n`), [])
  t.strictSame(missing(`${unreleased}**Breaking** \`GET /orders\` lost x.`), ['POST /orders'])
  t.strictSame(missing(`${unreleased}- \`GET /orders\` is **Breaking**\n- **Breaking** \`GET /orders/{order_id}\`, GET /orders`), ['GET /orders', 'POST /orders'])
  t.strictSame(missing('# Changelog\n\n## 2.0.0\n\n- **Breaking** `GET /orders` and `POST /orders`\n'), ['GET /orders', 'POST /orders'])
  t.strictSame(missing(`${unreleased}## 1.0.0\n\n- **Breaking** \`GET /orders\`, \`POST /orders\``), ['GET /orders', 'POST /orders'])
})
