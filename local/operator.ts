import { hash } from '@node-rs/argon2'
import pg from 'pg'
import { findCredentials, insertUser, promoteUser } from '../src/store/users.js'

/**
 * A first operator for a local start; one that is there already stays as it is.
 * @returns whether there is one: not where it was erased, whose name stays taken, or where another user has its CPF
 */
export async function ensureOperator (databaseUrl: string, nickName: string, password: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    if (await findCredentials(client, nickName)) return true
    const { user_id } = await insertUser(client, {
      nick_name: nickName,
      password: await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
      full_name: 'Local operator',
      cpf: '11144477735',
      email: 'operator@example.com',
      phone_number: '+55 11 91234-5678'
    })
    return await promoteUser(client, user_id)
  } catch (error) {
    if (/_taken$/.test(String((error as { code?: string }).code))) return false
    throw error
  } finally {
    await client.end()
  }
}
