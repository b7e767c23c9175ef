import { paired } from './paired.js'

/** What it costs to be seen: off is all that an operator can still take away, so only warnings are written and nothing is counted. */
export const seen = paired({
  name: 'seen',
  what: 'log lines and metrics',
  off: { how: 'LOG_LEVEL=warn and METRICS=off', env: { LOG_LEVEL: 'warn', METRICS: 'off' } },
  targets: ({ connections }) => connections === 256 ? [{ figure: 'ratio', bound: 'at least', limit: 0.95 }] : []
})
