import addFormats from 'ajv-formats'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { PROBLEM_TYPE, type ProblemCode, problems } from '../../src/http/problems.js'

/** What a client received, from whatever it asked. */
export interface Answer {
  method: string
  /** path and query */
  url: string
  status: number
  headers: Record<string, unknown>
  body: string
}

interface Described { headers?: Record<string, object>, content?: Record<string, { examples?: object }> }
type Paths = Record<string, Record<string, { responses: Record<string, Described> }>>

/** What any request may be answered, described or not: nothing is there, or it is no proper HTTP. */
const ANYWHERE: readonly ProblemCode[] = ['bad_request', 'not_found', 'method_not_allowed', 'request_timeout', 'headers_too_large']
/** Fields that speak of the transfer, of caches and of browsers, not of the resource. */
const UNTOLD = /^(content-(type|length|security-policy)|date|connection|x-content-type-options|strict-transport-security|keep-alive|transfer-encoding|cache-control|vary|allow)$/
const PROBLEM = 'application/problem+json'

const contracts = new Map<string, Contract>()

/** The OpenAPI document of an api, held against its answers. A validator is compiled once for each operation and status. */
export class Contract {
  readonly #paths: Paths
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false, logger: false })
  readonly #headersAjv = new Ajv2020({ strict: false, coerceTypes: true, logger: false })
  readonly #patterns: Array<[pattern: RegExp, path: string]>
  readonly #headers = new Map<string, ValidateFunction>()

  /** The same one for the same document. */
  static of (document: object): Contract {
    const text = JSON.stringify(document)
    const contract = contracts.get(text) ?? new Contract(text)
    contracts.set(text, contract)
    return contract
  }

  private constructor (text: string) {
    const document = JSON.parse(text, closed) as { paths: Paths, components: { headers: Record<string, { required?: boolean, schema: object }> } }
    for (const ajv of [this.#ajv, this.#headersAjv]) addFormats.default(ajv)
    this.#ajv.addSchema(document, 'contract')
    this.#paths = document.paths
    // A fixed path is asked before one with a parameter in the same place.
    this.#patterns = Object.keys(document.paths).sort().reverse().sort((a, b) => a.split('{').length - b.split('{').length)
      .map((path) => [new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`), path])
    for (const [name, { required = false, schema }] of Object.entries(document.components.headers)) {
      this.#headers.set(name, this.#headersAjv.compile({ type: 'object', properties: { [name]: schema }, ...(required ? { required: [name] } : {}) }))
    }
  }

  /** @throws when the answer breaks the contract */
  check (answer: Answer): void {
    const faults = this.faults(answer)
    if (faults.length > 0) throw new Error(`the contract is broken by ${answer.method} ${answer.url}, ${answer.status}: ${faults.join('; ')}\n${answer.body.slice(0, 500)}`)
  }

  /** Everything that is wrong with this answer; none when it keeps the contract. */
  faults (answer: Answer): string[] {
    const url = answer.url.split('?', 1)[0]!
    if (url.startsWith('/docs')) return []
    const code = codeOf(answer)
    if (isAnywhere(answer, code)) return [...this.#headerFaults(answer, null), ...this.#anywhereFaults(answer, code)]
    const path = this.#patterns.find(([pattern]) => pattern.test(url))?.[1]
    const method = answer.method === 'HEAD' ? 'get' : answer.method.toLowerCase()
    const described = path === undefined ? undefined : this.#paths[path]?.[method]?.responses[answer.status]
    if (!described) return [path === undefined ? 'there is no such operation' : 'the status is not documented']
    const at = `contract#/paths/${[path!, method, 'responses', String(answer.status), 'content'].map(token).join('/')}`
    return [...this.#headerFaults(answer, described), ...(answer.method === 'HEAD' ? [] : this.#bodyFaults(answer, described, at, code))]
  }

  #anywhereFaults ({ headers, body }: Answer, code: ProblemCode | null): string[] {
    if (code === null) return []
    return [...this.#schemaFaults('contract#/components/schemas/Problem', body), ...(code === 'method_not_allowed' && headers.allow === undefined ? ['header allow is missing'] : [])]
  }

  #headerFaults ({ headers }: Answer, described: Described | null): string[] {
    const documented = Object.keys(described?.headers ?? { 'x-request-id': {} })
    const wrong = documented.filter((name) => !this.#headers.get(name)?.({ [name]: headers[name] }))
    const untold = described === null ? [] : Object.keys(headers).filter((name) => !UNTOLD.test(name) && !documented.includes(name))
    return [...wrong.map((name) => `header ${name} is ${headers[name] === undefined ? 'missing' : `not as documented: ${String(headers[name])}`}`), ...untold.map((name) => `header ${name} is not documented`)]
  }

  #bodyFaults ({ headers, body }: Answer, { content = {} }: Described, at: string, code: ProblemCode | null): string[] {
    const type = String(headers['content-type'] ?? '').split(';', 1)[0]!
    if (Object.keys(content).length === 0) return body === '' && type === '' ? [] : ['a body is not documented']
    const media = content[type]
    if (!media) return [`content type ${type || 'none'} is not documented`]
    if (!type.endsWith('json')) return []
    const faults = this.#schemaFaults(`${at}/${token(type)}/schema`, body)
    return code === null ? faults : [...faults, ...problemFaults(code, media.examples ?? {}, headers)]
  }

  #schemaFaults (at: string, body: string): string[] {
    const validate = this.#ajv.getSchema(at)
    if (!validate) return ['the body is documented without a schema']
    return validate(JSON.parse(body)) ? [] : (validate.errors ?? []).map(({ instancePath, message, params }) => `body${instancePath} ${message} ${JSON.stringify(params)}`)
  }
}

function problemFaults (code: ProblemCode, documented: object, headers: Record<string, unknown>): string[] {
  return [
    ...(code in documented ? [] : [`problem ${code} is not documented: name it in the route's config.problems`]),
    ...('retryAfter' in problems[code] && headers['retry-after'] === undefined ? ['header retry-after is missing'] : [])
  ]
}

function isAnywhere ({ method, status }: Answer, code: ProblemCode | null): boolean {
  // HEAD has no body that would tell.
  return code === null ? method === 'HEAD' && ANYWHERE.some((one) => problems[one].status === status) : ANYWHERE.includes(code)
}

/** null: the answer is no problem, or does not say which */
function codeOf ({ headers, body }: Answer): ProblemCode | null {
  if (!String(headers['content-type']).startsWith(PROBLEM) || body === '') return null
  return (JSON.parse(body) as { type: string }).type.slice(PROBLEM_TYPE.length).replaceAll('-', '_') as ProblemCode
}

/** Clients must bear more members than they know; the service may not send any that are not documented. */
function closed (_key: string, value: { type?: unknown, properties?: unknown } | null): unknown {
  return value?.type === 'object' && value.properties && !('additionalProperties' in value) ? { ...value, additionalProperties: false } : value
}

/** RFC 6901 in a URI fragment. */
function token (text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'))
}

/** `fetch` from a process of its own, its answer held against the document that it serves. */
export async function contractFetch (origin: string): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const contract = Contract.of(await (await fetch(`${origin}/docs/json`)).json() as object)
  return async (path, init) => {
    const response = await fetch(origin + path, init)
    const body = await response.clone().text()
    contract.check({ method: init?.method ?? 'GET', url: path, status: response.status, headers: Object.fromEntries(response.headers), body })
    return response
  }
}
