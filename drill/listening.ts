import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Asking } from '../testkit/clients/asking.js'
import type { Environment } from './environment.js'
import { ExchangeListener } from './exchange-listener.js'
import { now } from './history.js'
import type { Person } from './people.js'
import { StreamListener } from './stream-listener.js'
import type { Heard, Told, Way } from './telling.js'
import { WebhookListener } from './webhook-listener.js'

const POLL_MS = 100

interface Listener { start (): Promise<void> | void, stop (): Promise<void> | void }

/** Those who are told what happens: a consumer of the exchange, a reader of the stream and a receiver of webhooks, from before the first order on. */
export class Listening {
  readonly told: Partial<Record<Way, Told[]>>
  readonly #listeners: Listener[]

  constructor ({ services, front }: Environment, operator: Person, asking: Asking, ways: readonly Way[]) {
    this.told = Object.fromEntries(ways.map((way) => [way, []]))
    const tell = (way: Way) => (heard: Heard) => this.told[way]!.push({ ...heard, at: now() })
    const listeners: Record<Way, () => Listener> = {
      exchange: () => new ExchangeListener(services.broker, tell('exchange')),
      webhook: () => new WebhookListener(asking, operator, tell('webhook')),
      stream: () => new StreamListener(front, () => operator.authorization, tell('stream'))
    }
    this.#listeners = ways.map((way) => listeners[way]())
  }

  /** @throws Error where the broker or the api does not take the listener */
  async start (): Promise<void> {
    for (const listener of this.#listeners) await listener.start()
  }

  /** Resolves when each was told so many different events, or when one that was not has been told nothing for so long (milliseconds). */
  async until (events: number, silenceMs: number): Promise<void> {
    const begun = now()
    const waitsFor = (told: readonly Told[]) => new Set(told.map(({ id }) => id)).size < events && now() - Math.max(begun, told.at(-1)?.at ?? 0) < silenceMs
    while (Object.values(this.told).some(waitsFor)) await wait(POLL_MS)
  }

  async stop (): Promise<void> {
    await Promise.all(this.#listeners.map(async (listener) => await listener.stop()))
  }

  /** One file for each. */
  write (folder: string): void {
    for (const [way, told] of Object.entries(this.told)) writeFileSync(join(folder, `told-by-${way}.jsonl`), told.map((one) => `${JSON.stringify(one)}\n`).join(''))
  }
}
