import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { Asking } from '../testkit/clients/asking.js'
import type { Person } from './people.js'
import { heard, type Heard } from './telling.js'

/** A service that an operator has called: it takes what is signed by its secret, and knows the rest by the same receiver's library as anyone's. */
export class WebhookListener {
  readonly #asking: Asking
  readonly #operator: Person
  readonly #told: (heard: Heard) => void
  readonly #server: Server
  #verifier: Webhook | null = null

  constructor (asking: Asking, operator: Person, told: (heard: Heard) => void) {
    this.#asking = asking
    this.#operator = operator
    this.#told = told
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        response.writeHead(this.#take(Buffer.concat(chunks).toString(), request.headers as Record<string, string>) ? 204 : 401).end()
      })
    })
  }

  /** Resolves when it is registered: what is settled from now on reaches it. @throws Error */
  async start (): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const { port } = this.#server.address() as AddressInfo
    const answer = await this.#asking.ask({ method: 'POST', path: '/webhooks', headers: { authorization: this.#operator.authorization }, body: { url: `http://127.0.0.1:${port}/` } })
    if (answer.status !== 201) throw new Error(`POST /webhooks: ${answer.status} ${answer.fault}${JSON.stringify(answer.body)}`)
    this.#verifier = new Webhook((answer.body as { secret: string }).secret)
  }

  async stop (): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #take (body: string, headers: Record<string, string>): boolean {
    try {
      this.#verifier!.verify(body, headers)
    } catch {
      return false
    }
    this.#told(heard(body))
    return true
  }
}
