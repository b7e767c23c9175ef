import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifySchema, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { headers, Problem, problemExamples, type Response, responsesOf } from '../http/responses.js'
import { version } from '../logs/logger.js'

const DESCRIPTION = [
  'An order service that never loses an order and never books one twice.',
  'Every error is `application/problem+json` (RFC 9457). Its `type` is stable: branch on it. Besides those that an operation lists there are `not-found` and `method-not-allowed` for requests that are not described here, and `bad-request`, `request-timeout` and `headers-too-large` for requests that are not valid HTTP.',
  'Responses may gain members: clients should ignore those they do not know. A request must not contain members that are not described.'
].join('\n\n')

/** OpenAPI 3.1 from the routes' own schemas, at /docs, /docs/json and /docs/yaml; DOCS=off leaves all three out. */
export const openapiPlugin = fp(async (app) => {
  if (!app.config.docs) return
  const routes = new Map<string, RouteOptions>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Comanda', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } as { name: string } },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token from `POST /auth/token`' } } },
      security: [{ token: [] }],
      tags: [
        { name: 'orders', description: 'Place orders and follow them' },
        { name: 'events', description: 'Be told what happened to orders' },
        { name: 'webhooks', description: 'Be called when something happens' },
        { name: 'users', description: 'Users and their access tokens' },
        { name: 'operators', description: 'For operators: what could not be booked, what is done about it, and how the service fares' },
        { name: 'operations', description: 'For operating the service' }
      ]
    },
    transform: ({ schema = {}, url, route }) => {
      const operationId = schema.operationId ?? operationIdOf(route)
      routes.set(operationId, route)
      return { url, schema: marked({ ...schema, operationId }) }
    },
    transformObject: (result) => completed('openapiObject' in result ? result.openapiObject as unknown as Document : none(), routes) as object
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // Over plain http from another machine it would send the browser to https for the page's own scripts.
    transformStaticCSP: (header) => header.replace(/upgrade-insecure-requests;?/, '')
  })
}, { name: 'openapi', dependencies: ['config'] })

interface Operation { operationId: string, responses: Record<string, Response>, requestBody?: RequestBody }
interface RequestBody { required: boolean, content: Record<string, { schema: { anyOf?: Array<{ type?: string }> } }> }
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: Record<string, object>
}

function none (): never {
  throw new Error('not an OpenAPI 3 document')
}

/** GET /orders/:order_id/events is getOrdersByOrderIdEvents. */
function operationIdOf ({ method, url }: RouteOptions): string {
  const words = url.replace(/:(\w+)/g, 'by_$1').split(/\W|_/).filter(Boolean)
  return [[method].flat()[0]!.toLowerCase(), ...words.map((word) => word[0]!.toUpperCase() + word.slice(1))].join('')
}

const MARK = 'x-schema-id'

/**
 * A plain copy for @fastify/swagger, which resolves named schemas in place and drops their names: here each carries its
 * name as an extension, that is kept. What has a default may be left out.
 */
function marked ({ querystring, headers, body, ...rest }: FastifySchema): FastifySchema {
  const read = Object.entries({ querystring, headers, body }).filter(([, part]) => part !== undefined)
  const schema = { ...rest, ...Object.fromEntries(read.map(([name, part]) => [name, JSON.parse(JSON.stringify(part), withoutDefaulted)])) }
  return JSON.parse(JSON.stringify(schema), (_key, value: { $id?: string } | null) => {
    if (typeof value?.$id !== 'string') return value
    const { $id, ...plain } = value
    return { ...plain, [MARK]: $id }
  })
}

function withoutDefaulted (_key: string, value: { required?: string[], properties?: Record<string, object> } | null): unknown {
  if (!Array.isArray(value?.required) || !value.properties) return value
  const { required, properties } = value
  return { ...value, required: required.filter((name) => !('default' in (properties[name] ?? {}))) }
}

/** The responses of every operation, and what several of them share as components. */
function completed (document: Document, routes: ReadonlyMap<string, RouteOptions>): Document {
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    operation.responses = responsesOf(routes.get(operation.operationId)!, operation.responses)
    if (operation.requestBody) leaveOut(operation.requestBody)
  }
  const schemas: Record<string, object> = { Problem }
  const { paths, components, ...head } = JSON.parse(JSON.stringify(document), (_key, value) => hoisted(value, schemas)) as Document
  const text = JSON.stringify(paths)
  const usedOf = (section: string, all: Record<string, object>) => Object.fromEntries(Object.entries(all).filter(([name]) => text.includes(`"#/components/${section}/${name}"`)))
  return {
    ...head,
    paths,
    components: { ...components, schemas, headers: usedOf('headers', headers), examples: usedOf('examples', problemExamples()) }
  }
}

/** To the validator a body that is missing is null; to a reader of the document it is one that may be left out. */
function leaveOut (body: RequestBody): void {
  for (const media of Object.values(body.content)) {
    const [given, missing] = media.schema.anyOf ?? []
    if (!given || missing?.type !== 'null') continue
    media.schema = given as object
    body.required = false
  }
}

function hoisted (value: unknown, schemas: Record<string, object>): unknown {
  if (typeof value !== 'object' || value === null || !(MARK in value)) return value
  const { [MARK]: name, ...schema } = value as { [MARK]: string }
  // Where a route only passes a problem on, its schema leaves it open.
  if (name !== 'Problem' && schemas[name] && JSON.stringify(schemas[name]) !== JSON.stringify(schema)) throw new Error(`two schemas are called ${name}`)
  schemas[name] ??= schema
  return { $ref: `#/components/schemas/${name}` }
}
