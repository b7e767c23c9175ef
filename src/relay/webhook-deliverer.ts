import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { cloudEventJson } from '../feed/cloud-event.js'
import { logLine } from '../logs/log-line.js'
import { KeyMissing, type Keyring, Unreadable } from '../secrets/keyring.js'
import type { Pool } from '../store/database.js'
import { claimDeliveries, type Claimed, releaseDeliveries, settleDeliveries, type Settled } from '../store/webhook-deliveries.js'
import { recordHealth } from '../store/webhooks.js'
import { backOff } from '../time/back-off.js'
import { type Failure, mayBeTold } from '../webhooks/endpoint.js'
import { type Outcome, outcomeOf } from '../webhooks/outcome.js'
import { pingOf } from '../webhooks/ping.js'
import { secretPlace } from '../webhooks/secret-place.js'
import { DEADLINE_MS, type Sender } from '../webhooks/sender.js'
import { signatureHeaders } from '../webhooks/signing.js'
import { Lanes } from './lanes.js'

/** Attempts under way at once, of this process: of one endpoint, and of all. */
const SHARE = 8
const MOST = 256
/** Deliveries taken at once, so that those to come need not wait for a statement each: of one endpoint that is well, and of all. */
const HELD = 32
const MOST_HELD = 1024
const MOST_OPENED = 1000
/** Beyond the deadline of an attempt: to record what became of it. */
const LEASE_MS = DEADLINE_MS + 5000
/** Between two looks for what is due; the relay that makes deliveries looks at once. */
const IDLE_MS = 200
/** A delivery that waits for a key is looked at again after so long. */
const KEY_MS = 60_000
const RETRY = { first: 100, longest: 5000 }
const CLOSE_MS = 3000

export interface WebhookDelivererOptions {
  pool: Pool
  sender: Pick<Sender, 'post' | 'abandon'>
  keyring: Keyring
  log: FastifyBaseLogger
  storeIsUp (signal: AbortSignal): Promise<void>
  /** Told of each attempt: null where it was delivered. */
  onAttempt? (failure: Failure | null, ms: number): void
  onGivenUp? (): void
}

/** Sends deliveries that are due, those of every endpoint beside the others'. Several processes do so at once. */
export class WebhookDeliverer {
  readonly #options: WebhookDelivererOptions
  readonly #stopping = new AbortController()
  readonly #lanes: Lanes
  /** What ended, until it is recorded. */
  #ended: Array<{ claimed: Claimed, settled: Settled, health: Outcome['health'] }> = []
  #givenBack: number[] = []
  #recording: Promise<void> | null = null
  /** What was opened before, by its row and what it was sealed as. (Measured: opening it for each delivery cost a fifth of the relay's time.) */
  readonly #opened = new Map<string, string>()
  #nudge = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor (options: WebhookDelivererOptions) {
    this.#options = options
    this.#lanes = new Lanes({
      share: SHARE,
      most: MOST,
      waitMs: LEASE_MS - DEADLINE_MS,
      attempt: async (claimed) => await this.#deliver(claimed),
      giveBack: ({ delivery_id: id }) => { this.#givenBack.push(id) }
    })
  }

  start (): void {
    this.#running = this.#run()
  }

  /** There may be something to deliver now. */
  nudge (): void {
    this.#nudge.abort()
  }

  /** What is under way has a moment to end; the rest is given back. */
  async stop (): Promise<void> {
    this.#stopping.abort()
    this.nudge()
    await this.#running
    const limit = setTimeout(() => this.#options.sender.abandon(), CLOSE_MS)
    await this.#lanes.close()
    clearTimeout(limit)
    await this.#recording
    await this.#release().catch(() => {}) // their leases run out
  }

  async #run (): Promise<void> {
    const { storeIsUp, log } = this.#options
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted;) {
      await storeIsUp(signal)
      if (signal.aborted) break
      this.#nudge = new AbortController()
      let pause = IDLE_MS
      try {
        await this.#claim()
        failures = 0
      } catch (error) {
        pause = backOff(failures++, RETRY)
        if (failures === 1) logLine(log, { event: 'webhooks_retried', reason: (error as Error).message, err: error })
      }
      await wait(pause, undefined, { signal: this.#nudge.signal }).catch(() => {})
    }
  }

  async #claim (): Promise<void> {
    await this.#release()
    const held = this.#lanes.held
    const room = MOST_HELD - [...held.values()].reduce((sum, count) => sum + count, 0)
    if (room <= 0) return
    for (const claimed of await claimDeliveries(this.#options.pool, { share: HELD, most: room, leaseMs: LEASE_MS, underWay: held })) this.#lanes.add(claimed)
  }

  async #release (): Promise<void> {
    const ids = this.#givenBack.splice(0)
    if (ids.length > 0) await releaseDeliveries(this.#options.pool, ids)
  }

  /** A defect costs the one delivery its lease, and no other anything. */
  async #deliver (claimed: Claimed): Promise<void> {
    try {
      const ended = await this.#attempt(claimed)
      if (ended === null) this.#givenBack.push(claimed.delivery_id)
      else this.#ended.push({ claimed, ...ended })
    } catch (error) {
      logLine(this.#options.log, { event: 'webhooks_retried', reason: (error as Error).message, err: error })
    }
    if (this.#ended.length > 0) this.#recording ??= this.#record()
  }

  /** @returns null: it was ended by this process */
  async #attempt (claimed: Claimed): Promise<{ settled: Settled, health: Outcome['health'] } | null> {
    const { delivery_id, message_id, position, tries, failing_since, url, event, owner } = claimed
    const none = (failure: Failure) => ({ settled: { delivery_id, state: 'given_up' as const, attempt: noAttempt(failure), delay_ms: null, missing_key: null }, health: null })
    if (position !== null && event === null) return none('superseded')
    if (event !== null && !mayBeTold(owner, event)) return none('not_allowed')
    const signing = this.#secretsOf(claimed)
    if (typeof signing === 'string') return { settled: { delivery_id, state: 'due', attempt: null, delay_ms: KEY_MS, missing_key: signing }, health: null }
    const body = event === null ? JSON.stringify(pingOf(message_id, claimed.created_at)) : cloudEventJson(event)
    const headers = signatureHeaders(signing, { id: message_id, timestamp: Math.floor(Date.now() / 1000), body })
    const answer = await this.#options.sender.post(url, headers, body)
    if (answer === null) return null
    const { health, ...became } = outcomeOf(answer, { ping: event === null, tries, failingSince: failing_since === null ? null : Date.parse(failing_since) }, Date.now(), Math.random())
    return { settled: { delivery_id, ...became, missing_key: null }, health }
  }

  /** What signs now. @returns the id of the key without which it cannot be told */
  #secretsOf ({ webhook_id, secrets }: Claimed): string[] | string {
    try {
      return secrets.filter(({ until }) => until === null || Date.parse(until) > Date.now()).map(({ sealed }) => this.#open(webhook_id, sealed))
    } catch (error) {
      if (error instanceof KeyMissing || error instanceof Unreadable) return error.keyId
      throw error
    }
  }

  #open (webhookId: string, sealed: string): string {
    const key = `${webhookId} ${sealed}` // what is sealed for one row opens no other
    const known = this.#opened.get(key)
    if (known !== undefined) return known
    const opened = this.#options.keyring.open(sealed, secretPlace(webhookId))
    if (this.#opened.size >= MOST_OPENED) this.#opened.clear()
    this.#opened.set(key, opened)
    return opened
  }

  /** All that ended meanwhile at once. What cannot be recorded is due again at the end of its lease. */
  async #record (): Promise<void> {
    const { pool, log } = this.#options
    while (this.#ended.length > 0) {
      const ended = this.#ended
      this.#ended = []
      try {
        await settleDeliveries(pool, ended.map(({ settled }) => settled))
        for (const { webhook_id, disabled_reason } of await recordHealth(pool, healthOf(ended))) logLine(log, { event: 'webhook_disabled', webhook_id, reason: disabled_reason })
      } catch (error) {
        logLine(log, { event: 'webhooks_retried', reason: (error as Error).message, err: error })
      }
      for (const { claimed, settled } of ended) this.#note(claimed, settled)
      const held = this.#lanes.held
      if (ended.some(({ claimed: { webhook_id: id } }) => (held.get(id) ?? 0) < SHARE)) this.nudge()
    }
    this.#recording = null
  }

  #note ({ webhook_id, delivery_id }: Claimed, { state, attempt, missing_key }: Settled): void {
    const { log, onAttempt, onGivenUp } = this.#options
    const about = { webhook_id, delivery_id }
    if (attempt === null) {
      logLine(log, { event: 'webhook_key_missing', ...about, reason: `DATA_KEYS: ${missing_key}` })
      return
    }
    const { failure: reason, ms: duration_ms, status } = attempt
    onAttempt?.(reason, duration_ms)
    if (reason === null) return
    logLine(log, { event: 'webhook_not_delivered', ...about, duration_ms, reason, ...(status === null ? {} : { status }) })
    if (state !== 'given_up') return
    onGivenUp?.()
    logLine(log, { event: 'webhook_given_up', ...about, reason })
  }
}

function noAttempt (failure: Failure): Settled['attempt'] {
  return { at: new Date().toISOString(), status: null, failure, ms: 0, bytes: 0 }
}

/** One verdict an endpoint: one that took anything is not failing, whatever else it did in the same moment. */
function healthOf (ended: ReadonlyArray<{ claimed: Claimed, health: Outcome['health'] }>): Parameters<typeof recordHealth>[1] {
  const heard = new Map<string, NonNullable<Outcome['health']>>()
  for (const { claimed: { webhook_id }, health } of ended) {
    if (health === null) continue
    const before = heard.get(webhook_id)
    heard.set(webhook_id, before === undefined ? health : { failing: before.failing && health.failing, disabled: before.disabled ?? health.disabled })
  }
  return [...heard].map(([webhook_id, health]) => ({ webhook_id, ...health }))
}
