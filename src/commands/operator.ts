import { hash } from '@node-rs/argon2'
import pg from 'pg'
import { findCredentials, insertUser, promoteUser } from '../store/users.js'

/** A first operator for a local start; one that is there already stays as it is. */
export async function ensureOperator (databaseUrl: string, nickName: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    if (await findCredentials(client, nickName)) return
    await insertUser(client, {
      nick_name: nickName,
      password: await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
      full_name: 'Local operator',
      cpf: '11144477735',
      email: 'operator@example.com',
      phone_number: '+55 11 91234-5678'
    })
    await promoteUser(client, nickName)
  } finally {
    await client.end()
  }
}
