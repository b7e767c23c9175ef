import { randomBytes } from 'node:crypto'
import { buildApi } from '../api.js'
import { loadConfig } from '../config.js'
import { serve } from './process.js'

export async function runApi (env: Record<string, string | undefined>): Promise<void> {
  await serve(await buildApi(loadConfig('api', env, () => randomBytes(32).toString('base64url'))))
}
