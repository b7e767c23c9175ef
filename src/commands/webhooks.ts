import { readDatabase } from '../config.js'
import { newId } from '../ids.js'
import { escapeSteering } from '../logs/terminal.js'
import { openPool } from '../store/connections.js'
import type { Pool } from '../store/database.js'
import { highestPosition } from '../store/feed.js'
import { beginReplayFor, changeEndpointFor, pingFor, replayDeliveryFor } from '../store/webhook-changes.js'
import { listDeliveries } from '../store/webhook-deliveries.js'
import { findEndpoint, listEndpoints } from '../store/webhooks.js'
import { commandLine } from '../users/actions.js'
import { type Delivery, type Endpoint, PING } from '../webhooks/endpoint.js'

type Env = Record<string, string | undefined>

const PAGE = 100
const DELIVERIES_SHOWN = 20

/** Every endpoint, newest first, one a line; of a URL only the origin: its path may be as good as a password. */
export async function runWebhooksList (env: Env, { json }: { json: boolean }): Promise<number> {
  return await withPool(env, async (pool) => {
    let [rows, listed]: [Endpoint[], number] = [[], 0]
    do {
      rows = await listEndpoints(pool, { after: rows.at(-1)?.webhook_id, limit: PAGE })
      for (const row of rows) say(json ? JSON.stringify(shown(row)) : lineOf(row))
      listed += rows.length
    } while (rows.length === PAGE)
    if (listed === 0 && !json) say('there is no webhook')
    return 0
  })
}

/** One endpoint with its latest deliveries. */
export async function runWebhooksShow (env: Env, id: string): Promise<number> {
  return await withEndpoint(env, id, async (pool, endpoint) => {
    const deliveries: Delivery[] = await listDeliveries(pool, { webhook_id: endpoint.webhook_id, limit: DELIVERIES_SHOWN })
    say(JSON.stringify({ ...shown(endpoint), deliveries }, null, 2))
  })
}

export async function runWebhooksTest (env: Env, id: string, { by }: { by: string }): Promise<number> {
  return await withEndpoint(env, id, async (pool, { webhook_id }) => {
    const { delivery_id } = await pingFor(pool, webhook_id, { message_id: newId(), type: PING }, commandLine(by))
    say(`delivery ${delivery_id}: a relay sends it now; \`comanda webhooks show ${webhook_id}\` tells what became of it`)
  })
}

export async function runWebhooksTurn (env: Env, id: string, enabled: boolean, { by }: { by: string }): Promise<number> {
  return await withEndpoint(env, id, async (pool, { webhook_id }) => {
    await changeEndpointFor(pool, webhook_id, { enabled, reason: 'operator' }, commandLine(by))
    say(enabled ? `${webhook_id} is enabled; what waited is delivered now` : `${webhook_id} is disabled; its deliveries wait until it is enabled again`)
  })
}

export interface ReplayOptions { delivery?: number, after?: number, before?: number, by: string }

/** One delivery, or all events behind one position and before another. */
export async function runWebhooksReplay (env: Env, id: string, { delivery, after, before, by }: ReplayOptions): Promise<number> {
  return await withEndpoint(env, id, async (pool, { webhook_id }) => {
    if (delivery !== undefined) {
      const due = await replayDeliveryFor(pool, webhook_id, delivery, commandLine(by))
      return due ? say(`delivery ${delivery} is due now`) : refuse(`${webhook_id} has no delivery ${delivery}`)
    }
    if (after === undefined) return refuse('give --delivery, or --after')
    const highest = await highestPosition(pool)
    if (after > highest) return refuse(`the feed ends at ${highest}`)
    const begun = await beginReplayFor(pool, webhook_id, { after, before: before === undefined ? null : Math.max(before - 1, after) }, commandLine(by))
    return begun ? say(`events behind ${after} are delivered to ${webhook_id} again`) : refuse(`a part of the feed is being told to ${webhook_id} again already`)
  })
}

function lineOf ({ webhook_id, user_id, url, types, state, disabled_reason, failing_since }: Endpoint): string {
  const how = state === 'disabled' ? `disabled (${disabled_reason})` : failing_since === null ? state : `failing since ${failing_since}`
  return [webhook_id, `user ${user_id}`, new URL(url).origin, how, types?.join(',') ?? 'all events'].join('  ')
}

function shown (endpoint: Endpoint): Endpoint {
  return { ...endpoint, url: new URL(endpoint.url).origin }
}

function say (text: string): void {
  console.log(escapeSteering(text))
}

/** @throws Error that is the answer of the command */
function refuse (text: string): never {
  throw new Refusal(text)
}

class Refusal extends Error {}

async function withEndpoint (env: Env, id: string, work: (pool: Pool, endpoint: Endpoint) => Promise<void>): Promise<number> {
  return await withPool(env, async (pool) => {
    try {
      await work(pool, await findEndpoint(pool, id) ?? refuse('there is no such webhook'))
      return 0
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      console.error(`comanda: ${error.message}`)
      return 1
    }
  })
}

async function withPool (env: Env, work: (pool: Pool) => Promise<number>): Promise<number> {
  const pool = openPool(readDatabase(env), 'webhooks')
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}
