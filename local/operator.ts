import { hash } from '@node-rs/argon2'
import { Pseudonyms } from '../src/auth/pseudonyms.js'
import { openPool } from '../src/store/connections.js'
import { changeRoleFor } from '../src/store/user-changes.js'
import { findCredentials, insertUser } from '../src/store/users.js'

/**
 * A first operator for a local start; one that is there already stays as it is.
 * @returns whether there is one: not where it was erased, whose name stays taken, or where another user has its CPF
 */
export async function ensureOperator (databaseUrl: string, pseudonymKey: string, nickName: string, password: string): Promise<boolean> {
  const pool = openPool({ url: databaseUrl, pooling: 'session' }, 'start')
  try {
    if (await findCredentials(pool, nickName)) return true
    const { user_id } = await insertUser(pool, new Pseudonyms(pseudonymKey), {
      nick_name: nickName,
      password: await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
      full_name: 'Local operator',
      cpf: '11144477735',
      email: 'operator@example.com',
      phone_number: '+55 11 91234-5678'
    })
    return await changeRoleFor(pool, user_id, 'operator', { actor: 'cli:npm start', role: null, way: 'cli', request_id: null }) !== null
  } catch (error) {
    if ((error as { code?: string }).code === 'account_taken') return false
    throw error
  } finally {
    await pool.end()
  }
}
