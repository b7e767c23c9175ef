import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Asking } from './asking.js'
import type { Environment } from './environment.js'
import { ExchangeListener } from './exchange-listener.js'
import { now } from './history.js'
import type { Person } from './people.js'
import { StreamListener } from './stream-listener.js'
import { type Heard, type Told, type Way, WAYS } from './telling.js'
import { WebhookListener } from './webhook-listener.js'

const POLL_MS = 100

/** Those who are told what happens: a consumer of the exchange, a reader of the stream and a receiver of webhooks, from before the first order on. */
export class Listening {
  readonly told: Record<Way, Told[]> = { exchange: [], stream: [], webhook: [] }
  readonly #exchange: ExchangeListener
  readonly #stream: StreamListener
  readonly #webhook: WebhookListener

  constructor ({ services, front }: Environment, operator: Person, asking: Asking) {
    const tell = (way: Way) => (heard: Heard) => this.told[way].push({ ...heard, at: now() })
    this.#exchange = new ExchangeListener(services.broker, tell('exchange'))
    this.#stream = new StreamListener(front, () => operator.authorization, tell('stream'))
    this.#webhook = new WebhookListener(asking, operator, tell('webhook'))
  }

  /** @throws Error where the broker or the api does not take the listener */
  async start (): Promise<void> {
    await this.#exchange.start()
    await this.#webhook.start()
    this.#stream.start()
  }

  /** Resolves when each was told so many different events, or when one that was not has been told nothing for so long (milliseconds). */
  async until (events: number, silenceMs: number): Promise<void> {
    const begun = now()
    const waitsFor = (told: readonly Told[]) => new Set(told.map(({ id }) => id)).size < events && now() - Math.max(begun, told.at(-1)?.at ?? 0) < silenceMs
    while (WAYS.some((way) => waitsFor(this.told[way]))) await wait(POLL_MS)
  }

  async stop (): Promise<void> {
    await Promise.all([this.#exchange.stop(), this.#stream.stop(), this.#webhook.stop()])
  }

  /** One file for each. */
  write (folder: string): void {
    for (const way of WAYS) writeFileSync(join(folder, `told-by-${way}.jsonl`), this.told[way].map((one) => `${JSON.stringify(one)}\n`).join(''))
  }
}
