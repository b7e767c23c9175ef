import { createHash } from 'node:crypto'
import { type Client, inTransaction, plainArray, type Pool, run } from './database.js'

/** Stands for a personal value where only its equality matters. Made with a key, so that whoever reads it cannot even guess. */
export interface Pseudonymous {
  of (kind: 'nick_name' | 'cpf', value: string): Buffer
}

export interface UniqueValues { nick_name?: string | undefined, cpf?: string | undefined }

/**
 * Until the transaction ends nobody else takes these values. So each is looked for before it is written, and no statement ever
 * fails by one: Postgres would write it to its log (`DETAIL: Key (cpf)=(...)`), which no erasure reaches.
 */
export async function lockValues (client: Client, pseudonyms: Pseudonymous, { nick_name, cpf }: UniqueValues): Promise<void> {
  const keys = [
    ...(nick_name === undefined ? [] : [pseudonyms.of('nick_name', nick_name)]),
    ...(cpf === undefined ? [] : [pseudonyms.of('cpf', cpf)])
  ].map((pseudonym) => pseudonym.readBigInt64BE().toString())
  // In one order everywhere: two who want both never wait for each other.
  await run(client, 'lock_values', 'select pg_advisory_xact_lock(key) from unnest($1::bigint[]) as key', [plainArray(keys.sort())])
}

/** Whether another user has one of these values, or had the name when they were erased. @param userId whose own values they may be */
export async function isTaken (client: Client, pseudonyms: Pseudonymous, { nick_name, cpf }: UniqueValues, userId: number | null): Promise<boolean> {
  const hashes = nick_name === undefined ? [] : [keyed(pseudonyms, plainHash(nick_name)), plainHash(nick_name)]
  const [row] = await run<{ taken: boolean }>(client, 'is_taken', `
    select exists (select from users where (nick_name = $1 or cpf = $2) and user_id is distinct from $3)
      or exists (select from taken_names where name_hash = any($4::bytea[])) as taken`, [nick_name, cpf, userId, hashes])
  return row!.taken
}

/** What stays of the name of an erased user. */
export function erasedName (pseudonyms: Pseudonymous, nickName: string): Buffer {
  return keyed(pseudonyms, plainHash(nickName))
}

/** Keyed at once. */
const BATCH = 1000

/**
 * Puts a keyed hash in the place of each plain one, of which the release before left one for each erased user. Safe to repeat,
 * to break off, and for several processes at once.
 * @returns how many
 */
export async function keyNames (pool: Pool, pseudonyms: Pseudonymous): Promise<number> {
  for (let count = 0; ;) {
    const keyedNow = await inTransaction(pool, async (client) => {
      const plain = await run<{ name_hash: Buffer }>(client, 'plain_names', `
        delete from taken_names where name_hash in (select name_hash from taken_names where not keyed limit $1 for update skip locked) and not keyed
        returning name_hash`, [BATCH])
      await run(client, 'key_names', `
        insert into taken_names (name_hash, keyed) select *, true from unnest($1::bytea[]) on conflict do nothing`, [plain.map(({ name_hash: hash }) => keyed(pseudonyms, hash))])
      return plain.length
    })
    count += keyedNow
    if (keyedNow < BATCH) return count
  }
}

/** Of the plain hash, so that one of before can be keyed though the name is gone. */
function keyed (pseudonyms: Pseudonymous, plain: Buffer): Buffer {
  return pseudonyms.of('nick_name', plain.toString('hex'))
}

function plainHash (nickName: string): Buffer {
  return createHash('sha256').update(nickName).digest()
}
