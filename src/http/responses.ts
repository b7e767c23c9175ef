import { type Static, Type } from '@sinclair/typebox'
import type { RouteOptions } from 'fastify'
import { MOST_FAULTS } from './input-faults.js'
import { problemBody, type ProblemCode, problems } from './problems.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the schemas do not say of this route's responses, for the OpenAPI document; by status. */
    answers?: Partial<Record<number, { description?: string, headers?: readonly HeaderName[] }>>
  }
}

export interface Response {
  description: string
  headers?: Record<string, object>
  content?: Record<string, object>
}

/** Every header field that a client may build on. A required one is in every response that names it. */
export const headers = {
  'x-request-id': { required: true, description: 'Identifies this request in the logs: made by the service, or by a proxy that it trusts', schema: { type: 'string', pattern: '^[\\w.:-]{1,64}$', examples: ['4f6f2f0e-8f5b-4c1e-9d3c-0d9f3b1c7a55'] } },
  location: { required: true, description: 'Where to read the new resource', schema: { type: 'string', format: 'uri-reference', examples: ['/orders/0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a'] } },
  etag: { required: true, description: 'The tag of this representation (RFC 9110)', schema: { type: 'string', pattern: '^"[^"]+"$', examples: ['"1a"'] } },
  'set-cookie': { required: true, description: 'The session of the console, or its end (RFC 6265)', schema: { type: 'string', pattern: '^comanda_session=', examples: ['comanda_session=eyJhbGciOi.eyJzdWIiOi.Ly9_yMc; Path=/; HttpOnly; SameSite=Strict'] } },
  'content-disposition': { required: true, description: 'A file to save (RFC 6266)', schema: { type: 'string', examples: ['attachment; filename="comanda-export.json"'] } },
  link: { description: 'The next page as `rel="next"` (RFC 8288); absent on the last page', schema: { type: 'string', examples: ['</orders?limit=20&cursor=MjAyNi0x>; rel="next"'] } },
  'idempotency-replayed': { description: '`true` when this answer was given before for the same Idempotency-Key', schema: { type: 'string', enum: ['true'] } },
  'retry-after': { description: 'Seconds to wait before trying again', schema: { type: 'integer', minimum: 0, examples: [2] } },
  'www-authenticate': { required: true, description: 'The challenge (RFC 6750)', schema: { type: 'string', pattern: '^Bearer', examples: ['Bearer error="invalid_token"'] } },
  'x-ratelimit-limit': { description: 'Requests allowed per window from one address', schema: { type: 'integer', examples: [20] } },
  'x-ratelimit-remaining': { description: 'Requests left in this window', schema: { type: 'integer', minimum: 0, examples: [19] } },
  'x-ratelimit-reset': { description: 'Seconds until the next window', schema: { type: 'integer', minimum: 0, examples: [60] } },
  'ratelimit-policy': { description: 'How many orders one user may place in how many seconds (draft-ietf-httpapi-ratelimit-headers); absent where there is no bound', schema: { type: 'string', examples: ['"orders";q=6000;w=60'] } },
  ratelimit: { description: 'How many are left, and in how many seconds all are again, or, refused, this request would be taken', schema: { type: 'string', examples: ['"orders";r=5999;t=1'] } }
} as const
export type HeaderName = keyof typeof headers

export const Problem = Type.Object({
  type: Type.String({ format: 'uri', description: 'The stable code, as a URN', examples: ['urn:comanda:problem:validation-failed'] }),
  title: Type.String({ examples: ['Validation failed'] }),
  status: Type.Integer({ minimum: 400, maximum: 599, examples: [400] }),
  detail: Type.String({ examples: ['The request breaks the rules listed in errors.'] }),
  instance: Type.String({ description: 'The path of the request, without its query', examples: ['/orders'] }),
  request_id: Type.String({ description: 'The same as the x-request-id header', examples: ['4f6f2f0e-8f5b-4c1e-9d3c-0d9f3b1c7a55'] }),
  errors: Type.Optional(Type.Array(Type.Object({
    pointer: Type.String({ description: 'RFC 6901 pointer after `#`, preceded by the part of the request unless that is the body', examples: ['#/item_quantity'] }),
    detail: Type.String({ examples: ['must be >= 1'] })
  }), { maxItems: MOST_FAULTS, description: `The errors in the input, the first ${MOST_FAULTS} at most; only with \`validation-failed\`. A batch tells so many over all its items` })),
  errors_omitted: Type.Optional(Type.Integer({ minimum: 1, description: 'How many more errors there are than `errors` lists; absent when it lists all', examples: [12] }))
}, { description: 'RFC 9457 problem details' })

const DESCRIPTIONS: Record<string, string> = {
  200: 'The requested resource',
  201: 'Created',
  202: 'Accepted: it can no longer be lost',
  204: 'Done; no content',
  207: 'One result for each item, in the order of the request',
  304: 'Unchanged since the tag that was sent'
}
const CODES = Object.keys(problems) as ProblemCode[]
const TOKEN_CODES = CODES.filter((code) => code.startsWith('token_'))

/** The whole responses object of an operation: what its schemas say, and every problem it can answer with. */
export function responsesOf (route: RouteOptions, described: Record<string, Response>): Record<string, Response> {
  const codes = problemsOf(route)
  const statuses = new Set([...Object.keys(described), ...Object.keys(route.config?.answers ?? {}), ...codes.map((code) => String(problems[code].status))])
  return Object.fromEntries([...statuses].map((status) => {
    const own = codes.filter((code) => String(problems[code].status) === status)
    const { description, headers: more = [] } = route.config?.answers?.[Number(status)] ?? {}
    const names = [...headersOf(route, own), ...more]
    return [status, {
      ...described[status],
      description: description ?? descriptionOf(status, own, described[status]),
      headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
      ...(own.length > 0 ? { content: problemContent(own) } : {})
    }]
  }))
}

function descriptionOf (status: string, codes: readonly ProblemCode[], described: Response | undefined): string {
  if (codes.length > 0) return codes.map((code) => `${problems[code].title} (\`${code}\`)`).join('; ')
  // @fastify/swagger takes it from the schema, or says this.
  const own = described?.description === 'Default Response' ? undefined : described?.description
  return own ?? DESCRIPTIONS[status] ?? status
}

/** The problems that follow from a route's shape. */
const DERIVED: Array<[applies: (route: RouteOptions) => boolean, codes: ProblemCode[]]> = [
  // Fastify reads a body of every other method, whether the route has use for it or not.
  [({ method }) => ![method].flat().every((one) => one === 'GET' || one === 'HEAD'), ['bad_request', 'payload_too_large', 'unsupported_media_type']],
  [({ schema }) => Boolean(schema?.body ?? schema?.params ?? schema?.querystring ?? schema?.headers), ['validation_failed', 'not_storable']],
  [({ schema }) => schema?.security?.length !== 0, TOKEN_CODES],
  [({ method, schema }) => schema?.security?.length !== 0 && ![method].flat().every((one) => one === 'GET' || one === 'HEAD'), ['cross_origin']],
  [({ config }) => Boolean(config?.rateLimit), ['too_many_requests']],
  [() => true, ['internal']],
  [({ schema }) => !schema?.tags?.includes('operations'), ['unavailable']]
]

/** Every problem that a route can answer with, besides those of any address: see the document's own description. */
function problemsOf (route: RouteOptions): ProblemCode[] {
  const derived = DERIVED.flatMap(([applies, codes]) => applies(route) ? codes : [])
  return [...new Set([...derived, ...route.config?.problems ?? []])]
}

function headersOf ({ config }: RouteOptions, codes: readonly ProblemCode[]): HeaderName[] {
  const names: HeaderName[] = ['x-request-id']
  if (codes.some((code) => 'retryAfter' in problems[code])) names.push('retry-after')
  if (codes.some((code) => problems[code].status === 401)) names.push('www-authenticate')
  if (config?.problems?.includes('too_many_orders')) names.push('ratelimit-policy', 'ratelimit')
  if (config?.rateLimit) names.push('x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset')
  return names
}

function problemContent (codes: readonly ProblemCode[]): Record<string, object> {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
  return { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, examples } }
}

/** The very body that each problem has, with the way out of it. */
export function problemExamples (): Record<string, object> {
  return Object.fromEntries(CODES.map((code) => {
    const value: Static<typeof Problem> = problemBody(code, {
      instance: '/orders',
      request_id: '4f6f2f0e-8f5b-4c1e-9d3c-0d9f3b1c7a55',
      ...(code === 'validation_failed' ? { input: { faults: [{ pointer: '#/item_quantity', detail: 'must be >= 1' }], omitted: 0 } } : {})
    })
    return [code, { summary: value.title, description: problems[code].remedy, value }]
  }))
}
