import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'

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

/** Asks over kept connections; never repeats a request by itself. */
export class Asking {
  readonly #base: URL
  readonly #agent: http.Agent

  /** @param url of an api, or of what stands in front of it; a path is kept as a prefix @param connections at most */
  constructor (url: string, connections: number) {
    this.#base = new URL(url)
    const { Agent } = this.#base.protocol === 'https:' ? https : http
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' })
  }

  /** Where this path is. */
  urlOf (path: string): string {
    return this.#base.origin + this.#base.pathname.replace(/\/$/, '') + path
  }

  /** Never throws: no answer is an answer too. */
  async ask ({ method, path, headers = {}, body }: Asked): Promise<Answered> {
    const text = body === undefined ? null : JSON.stringify(body)
    const sent = text === null ? headers : { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
    const { request } = this.#base.protocol === 'https:' ? https : http
    return await new Promise((resolve) => {
      const asked = request(this.urlOf(path), { method, headers: sent, agent: this.#agent })
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
