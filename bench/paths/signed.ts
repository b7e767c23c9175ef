import { paired } from './paired.js'

/** What it costs to sign messages, views and records, and to verify them. */
export const signed = paired({
  name: 'signed',
  what: 'signatures',
  off: { how: 'no EVENT_KEYS', env: { EVENT_KEYS: '' } },
  env: { NODE_ENV: 'development' }, // production demands the keys
  targets: ({ connections }) => connections === 256 ? [{ figure: 'processor time of both, on over off', bound: 'at most', limit: 1.03 }] : []
})
