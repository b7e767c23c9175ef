import { Agent, type IncomingMessage, request } from 'node:http'
import type { Outcome, Seen } from './history.js'

export interface Asked {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'
  path: string
  headers?: Record<string, string>
  body?: unknown
}

export interface Answered {
  /** HTTP; 0: no whole answer */
  status: number
  headers: IncomingMessage['headers']
  body: unknown
  /** Why there is no answer; '' when there is one. */
  fault: string
}

/** A client waits no longer for an answer. */
export const PATIENCE_MS = 8000
const PROBLEM_TYPE = 'urn:comanda:problem:'

/** Asks over kept connections; never repeats a request by itself. */
export class Asking {
  readonly #port: number
  readonly #agent: Agent

  /** @param connections at most */
  constructor (port: number, connections: number) {
    this.#port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' })
  }

  /** Never throws: no answer is an answer too. */
  async ask ({ method, path, headers = {}, body }: Asked): Promise<Answered> {
    const text = body === undefined ? null : JSON.stringify(body)
    const sent = text === null ? headers : { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
    return await new Promise((resolve) => {
      const asked = request({ host: '127.0.0.1', port: this.#port, method, path, headers: sent, agent: this.#agent })
      const patience = setTimeout(() => asked.destroy(new Error('no answer in time')), PATIENCE_MS)
      const fail = (error: Error & { code?: string }) => {
        clearTimeout(patience)
        resolve({ status: 0, headers: {}, body: null, fault: error.code ?? error.message })
      }
      asked.on('error', fail)
      asked.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', fail)
        response.on('end', () => {
          clearTimeout(patience)
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, body: parsed(Buffer.concat(chunks).toString()), fault: '' })
        })
      })
      asked.end(text ?? undefined)
    })
  }

  close (): void {
    this.#agent.destroy()
  }
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The code in a problem body, as `order-not-found`; '' where there is none. */
export function problemIn (body: unknown): string {
  const type = (body as { type?: unknown } | null)?.type
  return typeof type === 'string' && type.startsWith(PROBLEM_TYPE) ? type.slice(PROBLEM_TYPE.length) : ''
}

/** 4xx and a 503 that says so were not done; of any other failure nobody knows. */
export function outcomeOf (status: number, problem: string): Outcome {
  if (status >= 200 && status < 300) return 'ok'
  if (status >= 400 && status < 500) return 'fail'
  return status === 503 && problem === 'not-accepted' ? 'fail' : 'info'
}

export function seenIn (body: unknown): Seen | null {
  const { order_id, item_description, item_quantity, item_price, total_value, status, version } = (body ?? {}) as Seen
  return typeof order_id === 'string' ? { order_id, item_description, item_quantity, item_price, total_value, status, version } : null
}
