import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Failure } from './endpoint.js'
import { addressOf } from '../addresses/public-addresses.js'
import { type EndpointPolicy, faultOfEndpoint } from './endpoint-url.js'
import type { Answer } from './outcome.js'
import { type Resolve, systemResolve } from './resolver.js'

export interface SenderOptions {
  policy: EndpointPolicy
  resolve?: Resolve
  /** Of a whole attempt, from the look-up of its name to the end of the answer. */
  deadlineMs?: number
  /** Certificates that are trusted instead of Node's own, PEM. */
  ca?: string
}

/** DESIGN section 6 and Standard Webhooks: 15 to 30 seconds. */
export const DEADLINE_MS = 15_000
/** Of an answer no more is read, and nothing is kept. */
const MOST_BYTES = 16 * 1024
/** The status decides; a body may follow so long, that the connection may serve again. */
const BODY_MS = 1000
const IDLE_MS = 10_000
const USER_AGENT = 'Comanda-Webhooks/1'

class ForbiddenAddress extends Error {
  readonly code = 'FORBIDDEN_ADDRESS'
}

/**
 * Calls endpoints: no redirect is followed, no proxy of the environment asked. The addresses of a name are judged between their
 * look-up and the connection to one of them, in one step: none is looked up a second time.
 */
export class Sender {
  readonly #policy: EndpointPolicy
  readonly #deadlineMs: number
  readonly #agents: { 'http:': http.Agent, 'https:': https.Agent }
  readonly #underWay = new Set<AbortController>()
  #abandoned = false

  constructor ({ policy, resolve = systemResolve(), deadlineMs = DEADLINE_MS, ca }: SenderOptions) {
    this.#policy = policy
    this.#deadlineMs = deadlineMs
    const options = (protocol: string) => ({ keepAlive: true, timeout: IDLE_MS, lookup: judgedLookup(policy, protocol, resolve) })
    this.#agents = { 'http:': new http.Agent(options('http:')), 'https:': new https.Agent({ ...options('https:'), ...(ca === undefined ? {} : { ca }) }) }
  }

  /** One attempt. Never throws. @returns null: it was abandoned, which is no answer of the endpoint's */
  async post (url: string, headers: Record<string, string>, body: string): Promise<Answer | null> {
    const started = performance.now()
    const took = () => Math.round(performance.now() - started)
    // Literal addresses are never looked up, so they are judged here, with all else that the settings of today may refuse.
    if (faultOfEndpoint(url, this.#policy) !== null) return { status: null, failure: 'forbidden_address', ms: 0, bytes: 0 }
    // Not AbortSignal.timeout, which lives on for all of its time: 15 seconds of deliveries would be held.
    const ending = new AbortController()
    const deadline = setTimeout(() => ending.abort(), this.#deadlineMs)
    this.#underWay.add(ending)
    try {
      const heard = await this.#exchange(new URL(url), headers, body, ending.signal)
      return { ...heard, failure: null, ms: took() }
    } catch (error) {
      if (this.#abandoned) return null
      return { status: null, failure: ending.signal.aborted ? 'timeout' : failureOf(error as NodeJS.ErrnoException), ms: took(), bytes: 0 }
    } finally {
      clearTimeout(deadline)
      this.#underWay.delete(ending)
    }
  }

  /** Ends every attempt that is under way. */
  abandon (): void {
    this.#abandoned = true
    for (const ending of this.#underWay) ending.abort()
  }

  close (): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  async #exchange (url: URL, headers: Record<string, string>, body: string, signal: AbortSignal, again = false): Promise<{ status: number, retryAfter: string | undefined, bytes: number }> {
    const request = this.#request(url, headers, body, signal)
    try {
      const response = await responseTo(request)
      return { status: response.statusCode!, retryAfter: response.headers['retry-after'], bytes: await drained(response, signal) }
    } catch (error) {
      // An idle connection that the endpoint had closed meanwhile says nothing about it.
      if (request.reusedSocket && !again && (error as NodeJS.ErrnoException).code === 'ECONNRESET') return await this.#exchange(url, headers, body, signal, true)
      throw error
    }
  }

  #request (url: URL, headers: Record<string, string>, body: string, signal: AbortSignal): ClientRequest {
    const { request, agent } = url.protocol === 'https:' ? { request: https.request, agent: this.#agents['https:'] } : { request: http.request, agent: this.#agents['http:'] }
    return request(url, {
      method: 'POST',
      agent,
      signal,
      headers: { ...headers, 'user-agent': USER_AGENT, 'content-type': 'application/cloudevents+json', 'content-length': Buffer.byteLength(body) }
    }).end(body)
  }
}

async function responseTo (request: ClientRequest): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response)
    })
    request.on('error', reject)
  })
}

/** Reads what there is, within its bounds. @returns how many bytes; a connection that has more is closed */
async function drained (response: IncomingMessage, signal: AbortSignal): Promise<number> {
  let bytes = 0
  await new Promise<void>((resolve) => {
    const limit = setTimeout(() => response.destroy(), BODY_MS)
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MOST_BYTES) response.destroy()
    })
    response.on('error', () => {}) // the status is known
    response.once('close', () => {
      clearTimeout(limit)
      resolve()
    })
    if (signal.aborted) response.destroy()
  })
  return Math.min(bytes, MOST_BYTES)
}

function judgedLookup (policy: EndpointPolicy, protocol: string, resolve: Resolve): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname).then((found) => {
      if (found.length === 0) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' })
      // One that is forbidden condemns the name: which of them is connected to would be chance.
      if (found.some(({ address }) => !policy.allows(address, protocol))) throw new ForbiddenAddress('this name leads to an address that is not public')
      if (options.all === true) done(null, found)
      else done(null, found[0]!.address, found[0]!.family)
    }).catch((error: NodeJS.ErrnoException) => { done(error, []) })
  }
}

const BY_CODE: ReadonlyArray<[RegExp, Failure]> = [
  [/^FORBIDDEN_ADDRESS$/, 'forbidden_address'],
  [/^(ENOTFOUND|ENODATA|ESERVFAIL|EREFUSED|ETIMEOUT|EAI_|EBADNAME|EBADRESP|EFORMERR)/, 'name_not_found'],
  [/^HPE_/, 'bad_answer'],
  [/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/, 'tls'],
  [/^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/, 'connection_lost']
]

function failureOf (error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }): Failure {
  const code = error.code ?? error.errors?.[0]?.code ?? ''
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? 'connection_failed'
}

/** Whether the addresses of a URL are allowed now; null where its name is not known to any server. For a warning on registering. */
export async function leadsAstray (url: string, policy: EndpointPolicy, resolve: Resolve = systemResolve()): Promise<boolean | null> {
  const { hostname, protocol } = new URL(url)
  if (addressOf(new URL(url)) !== null) return false // judged as it stands
  try {
    return (await resolve(hostname)).some(({ address }) => !policy.allows(address, protocol))
  } catch {
    return null
  }
}
