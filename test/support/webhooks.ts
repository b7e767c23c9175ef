import type pg from 'pg'
import { newId } from '../../src/ids.js'
import { Keyring } from '../../src/secrets/keyring.js'
import { insertEndpoint } from '../../src/store/webhooks.js'
import { inTransaction } from '../../src/store/database.js'
import { secretPlace } from '../../src/webhooks/secret-place.js'
import { newSecret } from '../../src/webhooks/signing.js'

/** An endpoint straight into the table. @returns its id and its secret */
export async function insertUsersEndpoint (pool: pg.Pool, dataKeys: string, user_id: number, url: string, types: string[] | null = null): Promise<{ webhook_id: string, secret: string }> {
  const [webhook_id, secret] = [newId(), newSecret()]
  await inTransaction(pool, async (client) => await insertEndpoint(client, { webhook_id, user_id, url, description: null, types, secret: new Keyring(dataKeys).seal(secret, secretPlace(webhook_id)), most: 1000 }))
  return { webhook_id, secret }
}
